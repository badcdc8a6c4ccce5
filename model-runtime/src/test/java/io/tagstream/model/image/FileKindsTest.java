/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static io.tagstream.model.image.Forge.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.awt.Color;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Size;
import org.opencv.imgcodecs.Imgcodecs;
import org.opencv.imgproc.Imgproc;

/** Kinds of PNG, TIFF, BMP and WebP that are neither the usual one nor wrong. */
class FileKindsTest {
    private static final Color TRANSPARENT = new Color(255, 0, 0, 0);
    private static final Color HALF = new Color(255, 0, 0, 128);
    private static final List<Color> CUT_OUT = List.of(TRANSPARENT, HALF, Color.BLUE, Color.BLACK);
    private static final List<Color> OVER_WHITE =
            List.of(Color.WHITE, new Color(255, 127, 127), Color.BLUE, Color.BLACK);

    private final ImageDecoder decoder = new ImageDecoder(
            Quarters.SIZE, Resize.SQUASH, new PixelBudget(PixelBudget.DEFAULT_MAX_PIXELS, OptionNames.OF_THE_LIBRARY));
    private final ByteBuffer pixels = Quarters.target();

    @Test
    void shouldReadExifThatBeginsAsInAJpeg() throws Exception {
        byte[] png = Forge.pngWith(Quarters.png(80, 64), Forge.pngChunk("eXIf", join("Exif\0\0", Forge.exif(6))));
        assertThat(decoder.decode(png, pixels)).isEqualTo(new ImageSize(64, 80));
        Quarters.assertColours(pixels, List.of(Color.BLUE, Color.RED, Color.YELLOW, Color.GREEN));
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_4BYTE_ABGR_PRE})
    void shouldBlendATransparentTiffOverWhite(int type) throws Exception {
        decoder.decode(Quarters.encode(Quarters.picture(64, 64, type, CUT_OUT), "tiff"), pixels);
        Quarters.assertColours(pixels, OVER_WHITE);
    }

    @Test
    void shouldBlendATransparentTiffOfSixteenBitsOverWhite() throws Exception {
        ComponentColorModel colours = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                true,
                false,
                Transparency.TRANSLUCENT,
                DataBuffer.TYPE_USHORT);
        WritableRaster raster = colours.createCompatibleWritableRaster(64, 64);
        for (int i = 0; i < 64 * 64; i++) {
            Color colour = CUT_OUT.get(i / 64 / 32 * 2 + i % 64 / 32);
            raster.setPixel(i % 64, i / 64, new int[] {
                257 * colour.getRed(), 257 * colour.getGreen(), 257 * colour.getBlue(), 257 * colour.getAlpha()
            });
        }
        decoder.decode(Quarters.encode(new BufferedImage(colours, raster, false, null), "tiff"), pixels);
        Quarters.assertColours(pixels, OVER_WHITE);
    }

    @Test
    void shouldBlendATransparentBmpOverWhite() throws Exception {
        decoder.decode(Forge.bmp32(CUT_OUT), pixels);
        Quarters.assertColours(pixels, OVER_WHITE);
    }

    @Test
    void shouldTakeABmpWhoseFourthByteIsUnusedAsOpaque() throws Exception {
        List<Color> unused = Quarters.UPRIGHT.stream()
                .map(colour -> new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), 0))
                .toList();
        decoder.decode(Forge.bmp32(unused), pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldReadABmpWithReservedWords() throws Exception {
        byte[] bmp = Forge.patched(
                Quarters.encode(Quarters.picture(64, 64, BufferedImage.TYPE_INT_RGB), "bmp"),
                ByteOrder.LITTLE_ENDIAN,
                buffer -> buffer.putInt(6, 0x01020304));
        decoder.decode(bmp, pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldTakeTheTransparentGreyOfAPngAsWhite() throws Exception {
        BufferedImage grey = Quarters.picture(
                64, 64, BufferedImage.TYPE_BYTE_GRAY, List.of(Color.BLACK, Color.WHITE, Color.DARK_GRAY, Color.BLACK));
        byte[] png = Forge.pngWith(Quarters.encode(grey, "png"), Forge.pngChunk("tRNS", new byte[] {0, 0}));
        decoder.decode(png, pixels);
        Quarters.assertColours(pixels, List.of(Color.WHITE, Color.WHITE, Color.DARK_GRAY, Color.WHITE));
    }

    @Test
    void shouldPlaceTheFirstFrameOfAnAnimatedWebpOnAWhiteCanvas() throws Exception {
        byte[] still = Arrays.copyOfRange(Quarters.resource("turned.webp"), 30, 84);
        byte[] webp = Forge.webp(Forge.webpCanvas(2, 128, 128), Forge.webpFrame(64, 64, 64, 64, still));
        assertThat(decoder.decode(webp, pixels)).isEqualTo(new ImageSize(128, 128));
        Quarters.assertColours(pixels, List.of(Color.WHITE, Color.WHITE, Color.WHITE));
        int insideTheFrame = 3 * (Quarters.SIZE * (Quarters.SIZE - 1) + Quarters.SIZE - 1);
        assertThat(pixels.get(insideTheFrame) & pixels.get(insideTheFrame + 1) & pixels.get(insideTheFrame + 2) & 0xFF)
                .isLessThan(200);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5})
    void shouldPassOverThumbnailsAndMasksOfATiff(int kind) throws Exception {
        BufferedImage thumbnail = new BufferedImage(20, 20, BufferedImage.TYPE_INT_RGB);
        BufferedImage page = Quarters.picture(80, 64, BufferedImage.TYPE_INT_RGB);
        byte[] tiff = Forge.tiffOfKind(Forge.tiff("LZW", List.of(thumbnail, page)), kind);
        assertThat(decoder.decode(tiff, pixels)).isEqualTo(new ImageSize(80, 64));
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldTakeTheFirstPageIfAllAreThumbnails() throws Exception {
        BufferedImage page = Quarters.picture(80, 64, BufferedImage.TYPE_INT_RGB);
        assertThat(decoder.decode(Forge.tiffOfKind(Forge.tiff("LZW", List.of(page)), 1), pixels))
                .isEqualTo(new ImageSize(80, 64));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 12, 32})
    void shouldSayWhichTiffSamplesAreNotSupported(int bits) {
        byte[] tiff = Forge.tiff("LZW", List.of(new BufferedImage(20, 20, BufferedImage.TYPE_BYTE_GRAY)));
        assertUnsupported(Forge.tiffSaying(tiff, 258, bits), bits + " bits a sample");
    }

    @Test
    void shouldSayThatFloatingPointTiffsAreNotSupported() {
        ComponentColorModel grey = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_GRAY), false, false, Transparency.OPAQUE, DataBuffer.TYPE_FLOAT);
        BufferedImage image = new BufferedImage(grey, grey.createCompatibleWritableRaster(8, 8), false, null);
        assertUnsupported(Quarters.encode(image, "tiff"), "not whole numbers");
    }

    @ParameterizedTest
    @ValueSource(strings = {".png", ".webp", ".bmp", ".tiff"})
    void shouldDecodeTheSamePixelsAlikeInEveryFormat(String format) throws Exception {
        Mat texture = new Mat();
        Mat photo = new Mat(299, 403, CvType.CV_8UC3);
        MatOfByte encoded = new MatOfByte();
        try {
            Core.setRNGSeed(1);
            Core.randu(photo, 0, 256);
            Imgproc.GaussianBlur(photo, texture, new Size(5, 5), 0);
            Imgcodecs.imencode(".jpg", texture, encoded);
            byte[] jpeg = encoded.toArray();
            Imgcodecs.imencode(format, Imgcodecs.imdecode(encoded, Imgcodecs.IMREAD_COLOR), encoded);
            decoder.decode(jpeg, pixels);
            ByteBuffer other = Quarters.target();
            decoder.decode(encoded.toArray(), other);
            double difference = 0;
            for (int i = 0; i < pixels.capacity(); i++) {
                difference += Math.abs((pixels.get(i) & 0xFF) - (other.get(i) & 0xFF));
            }
            // it is 3.5 if only the JPEG is reduced in steps
            assertThat(difference / pixels.capacity()).isLessThan(1.5);
        } finally {
            texture.release();
            photo.release();
            encoded.release();
        }
    }

    private void assertUnsupported(byte[] image, String inMessage) {
        assertThatThrownBy(() -> decoder.decode(image, pixels))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.UNSUPPORTED_FORMAT))
                .hasMessageContaining(inMessage);
    }
}
