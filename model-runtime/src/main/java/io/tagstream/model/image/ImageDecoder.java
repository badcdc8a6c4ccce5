/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.opencv.core.Core;
import org.opencv.core.CvException;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;
import org.opencv.imgproc.Imgproc;

/**
 * Decodes images of every known format into the model's square of RGB bytes, inside this process.
 *
 * <p>A JPEG is decoded at 1/2, 1/4 or 1/8 scale if that still covers the square; other pictures are reduced as much
 * afterwards, so that the same pixels score alike in every format. EXIF orientation is applied. Transparent pixels are
 * blended over white, the background that cut-out images are made for. 16-bit samples are reduced to 8 bits. Only the
 * first frame of an animation is used, and the first page of a TIFF that is no thumbnail. Embedded colour
 * profiles of RGB and of grey are applied to the square.
 *
 * <p><i>Threading notes.</i> May be used from any number of threads; each call uses one. Native code cannot be aborted,
 * and a crash in it ends the process.
 */
public final class ImageDecoder implements Decoder {
    private static final ColourProfiles PROFILES = new ColourProfiles();

    private final Squarer squarer;
    private final PixelBudget budget;

    /**
     * @param size side of the square in pixels
     * @param resize how an image of any shape becomes the square
     * @param budget limits how large an image may be, and how much is decoded at a time
     */
    public ImageDecoder(int size, Resize resize, PixelBudget budget) {
        OpenCv.load();
        this.squarer = new Squarer(size, resize);
        this.budget = budget;
    }

    @Override
    public int bytes() {
        return squarer.bytes();
    }

    @Override
    public ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException {
        try (PixelBudget.Share share = budget.admit(encoded)) {
            return decode(encoded, share.header(), target);
        }
    }

    @Override
    public void close() {
        // owns nothing, and native code cannot be aborted
    }

    private ImageSize decode(byte[] encoded, ImageHeader header, ByteBuffer target) throws ImageException {
        try (Mats mats = new Mats()) {
            Picture picture = decode(encoded, header, mats);
            // OpenCV always turns a TIFF upright itself, whatever the flags
            int orientation = header.format() == ImageFormat.TIFF ? 1 : header.orientation();
            squarer.square(picture, orientation, target, mats);
            PROFILES.of(header).convert(target);
        } catch (CvException e) {
            throw new ImageException(
                    FailureReason.CORRUPT_IMAGE,
                    "the %s does not decode: %s".formatted(header.format(), Excerpt.of(e.getMessage())),
                    e);
        }
        return new ImageSize(header.uprightWidth(), header.uprightHeight());
    }

    private Picture decode(byte[] encoded, ImageHeader header, Mats mats) throws ImageException {
        OpenCvCall call = new OpenCvCall(header, mats);
        ByteBuffer bytes = ByteBuffer.wrap(encoded);
        return switch (header.format()) {
            case JPEG -> new Picture(jpeg(encoded, header, call), Alpha.NONE, 1);
            case PNG -> picture(png(bytes, call, mats), Alpha.STRAIGHT);
            case WEBP -> picture(WebpDecoder.firstFrame(bytes, header, call, mats), Alpha.STRAIGHT);
            case GIF -> picture(GifDecoder.firstFrame(encoded, mats), Alpha.NONE);
            case BMP -> picture(bmp(bytes, call, mats), Alpha.STRAIGHT);
            case TIFF -> tiff(bytes, call);
        };
    }

    private Picture picture(Mat pixels, Alpha alpha) {
        return new Picture(pixels, alpha, squarer.reduction(pixels.cols(), pixels.rows()));
    }

    private Mat jpeg(byte[] encoded, ImageHeader header, OpenCvCall call) throws ImageException {
        int flags = switch (squarer.reduction(header.width(), header.height())) {
            case 8 -> Imgcodecs.IMREAD_REDUCED_COLOR_8;
            case 4 -> Imgcodecs.IMREAD_REDUCED_COLOR_4;
            case 2 -> Imgcodecs.IMREAD_REDUCED_COLOR_2;
            default -> Imgcodecs.IMREAD_COLOR;
        };
        if (header.unendedAt().isPresent()) {
            return UnendedJpeg.decode(
                    encoded, header.unendedAt().getAsInt(), flags | Imgcodecs.IMREAD_IGNORE_ORIENTATION, call);
        }
        return call.decode(List.of(ByteBuffer.wrap(encoded)), flags | Imgcodecs.IMREAD_IGNORE_ORIENTATION);
    }

    private static Mat png(ByteBuffer bytes, OpenCvCall call, Mats mats) throws ImageException {
        Mat decoded = call.decode(PngStructure.withoutExif(bytes), Imgcodecs.IMREAD_UNCHANGED);
        OptionalInt transparent = PngStructure.transparentGrey(bytes);
        if (transparent.isPresent() && decoded.channels() == 1) {
            Mat background = mats.own(new Mat());
            Core.inRange(decoded, new Scalar(transparent.getAsInt()), new Scalar(transparent.getAsInt()), background);
            decoded.setTo(new Scalar(decoded.depth() == CvType.CV_16U ? 65_535 : 255), background);
        }
        return decoded;
    }

    private static Mat bmp(ByteBuffer bytes, OpenCvCall call, Mats mats) throws ImageException {
        Mat decoded = call.decode(List.of(bytes), Imgcodecs.IMREAD_COLOR);
        Optional<Mat> alpha = BmpStructure.alpha(bytes, mats);
        if (alpha.isEmpty()) {
            return decoded;
        }
        Mat whole = mats.own(new Mat());
        Imgproc.cvtColor(decoded, whole, Imgproc.COLOR_BGR2BGRA);
        Core.insertChannel(alpha.get(), whole, 3);
        return whole;
    }

    private Picture tiff(ByteBuffer bytes, OpenCvCall call) throws ImageException {
        ImageDirectory page = TiffStructure.page(bytes);
        Alpha alpha = TiffStructure.alpha(page);
        int flags = alpha == Alpha.NONE ? Imgcodecs.IMREAD_COLOR : Imgcodecs.IMREAD_UNCHANGED;
        return picture(call.decode(page.asFirst(), flags), alpha);
    }
}
