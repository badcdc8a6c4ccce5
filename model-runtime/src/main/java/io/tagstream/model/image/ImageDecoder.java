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
import org.opencv.core.CvException;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.imgcodecs.Imgcodecs;
import org.opencv.imgproc.Imgproc;

/**
 * Decodes images of every known format into the model's square of RGB bytes, inside this process.
 *
 * <p>A JPEG is decoded at 1/2, 1/4 or 1/8 scale if that still covers the square. EXIF orientation is applied.
 * Transparent pixels are blended over white, the background that cut-out images are made for. 16-bit samples are
 * reduced to 8 bits. Only the first frame or page of a file is used. Colour profiles are ignored.
 *
 * <p><i>Threading notes.</i> May be used from any number of threads; each call uses one. Native code cannot be aborted,
 * and a crash in it ends the process.
 */
public final class ImageDecoder implements Decoder {
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
            Mat image = header.format() == ImageFormat.GIF
                    ? GifDecoder.firstFrame(encoded, mats)
                    : decode(encoded, header, mats);
            // OpenCV always turns a TIFF upright itself, whatever the flags
            int orientation = header.format() == ImageFormat.TIFF ? 1 : header.orientation();
            squarer.square(image, orientation, target, mats);
        } catch (CvException e) {
            throw new ImageException(
                    FailureReason.CORRUPT_IMAGE,
                    "the %s does not decode: %s".formatted(header.format(), Excerpt.of(e.getMessage())),
                    e);
        }
        return new ImageSize(header.uprightWidth(), header.uprightHeight());
    }

    private Mat decode(byte[] encoded, ImageHeader header, Mats mats) throws ImageException {
        Mat bytes = mats.own(new Mat(1, encoded.length, CvType.CV_8UC1));
        bytes.put(0, 0, encoded);
        Mat decoded = mats.own(Imgcodecs.imdecode(bytes, flags(header)));
        bytes.release();
        if (decoded.empty()) {
            throw ImageHeader.corrupt(header.format(), "does not decode: its data is damaged");
        }
        if ((long) decoded.cols() * decoded.rows() > header.pixels()) {
            throw ImageHeader.corrupt(
                    header.format(),
                    "decodes to %d x %d pixels, but its header says %d x %d"
                            .formatted(decoded.cols(), decoded.rows(), header.width(), header.height()));
        }
        return toEightBits(decoded, mats);
    }

    private int flags(ImageHeader header) {
        return switch (header.format()) {
            case JPEG ->
                switch (squarer.reduction(header.width(), header.height())) {
                    case 8 -> Imgcodecs.IMREAD_REDUCED_COLOR_8 | Imgcodecs.IMREAD_IGNORE_ORIENTATION;
                    case 4 -> Imgcodecs.IMREAD_REDUCED_COLOR_4 | Imgcodecs.IMREAD_IGNORE_ORIENTATION;
                    case 2 -> Imgcodecs.IMREAD_REDUCED_COLOR_2 | Imgcodecs.IMREAD_IGNORE_ORIENTATION;
                    default -> Imgcodecs.IMREAD_COLOR | Imgcodecs.IMREAD_IGNORE_ORIENTATION;
                };
            // with their alpha channel
            case PNG, WEBP -> Imgcodecs.IMREAD_UNCHANGED;
            case BMP, TIFF, GIF -> Imgcodecs.IMREAD_COLOR;
        };
    }

    /** BGR or BGRA, 8 bits a channel. */
    private static Mat toEightBits(Mat decoded, Mats mats) {
        Mat image = decoded;
        if (image.depth() == CvType.CV_16U) {
            Mat reduced = mats.own(new Mat());
            image.convertTo(reduced, CvType.CV_8U, 1.0 / 257);
            image.release();
            image = reduced;
        }
        if (image.channels() == 1) {
            Mat colour = mats.own(new Mat());
            Imgproc.cvtColor(image, colour, Imgproc.COLOR_GRAY2BGR);
            image.release();
            image = colour;
        }
        return image;
    }
}
