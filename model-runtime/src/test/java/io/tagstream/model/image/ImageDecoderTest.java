/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

class ImageDecoderTest {
    private static final long MAX_PIXELS = 100_000_000;

    private final ImageDecoder decoder = new ImageDecoder(Quarters.SIZE, Resize.SHORTEST_SIDE_CENTER_CROP, budget());
    private final ByteBuffer pixels = Quarters.target();

    @ParameterizedTest
    @ValueSource(strings = {"jpg", "png", "bmp", "gif", "tiff"})
    void shouldDecodeEveryFormat(String format) throws Exception {
        byte[] image = Quarters.encode(Quarters.picture(80, 80, BufferedImage.TYPE_INT_RGB), format);
        assertThat(decoder.decode(image, pixels)).isEqualTo(new ImageSize(80, 80));
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cmyk.jpg", "progressive.jpg", "turned.webp", "turned.png", "turned.tiff"})
    void shouldDecodeWhatOtherProgramsWrite(String name) throws Exception {
        assertThat(decoder.decode(Quarters.resource(name), pixels)).isEqualTo(new ImageSize(64, 64));
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 40, 80, 300, 700, 2000})
    void shouldDecodeLargeJpegsAtReducedScaleAndEnlargeSmallOnes(int side) throws Exception {
        assertThat(decoder.decode(Quarters.jpeg(side, side), pixels)).isEqualTo(new ImageSize(side, side));
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @ParameterizedTest
    @CsvSource({"1, 0123", "2, 1032", "3, 3210", "4, 2301", "5, 0213", "6, 2031", "7, 3120", "8, 1302"})
    void shouldTurnUprightByExifOrientation(int orientation, String quarters) throws Exception {
        byte[] image = withOrientation(Quarters.jpeg(120, 80), orientation);
        ImageSize expected = orientation >= 5 ? new ImageSize(80, 120) : new ImageSize(120, 80);
        assertThat(decoder.decode(image, pixels)).isEqualTo(expected);
        List<Color> turned = quarters.chars()
                .mapToObj(digit -> Quarters.UPRIGHT.get(digit - '0'))
                .toList();
        Quarters.assertColours(pixels, turned);
    }

    @Test
    void shouldIgnoreExifGarbage() throws Exception {
        byte[] image = withOrientation(Quarters.jpeg(80, 80), 6);
        Arrays.fill(image, 14, 36, (byte) 0xEE);
        decoder.decode(image, pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldDecodeGreyAndSixteenBitSamples() throws Exception {
        List<Color> greys = List.of(Color.BLACK, Color.WHITE, new Color(128, 128, 128), new Color(64, 64, 64));
        decoder.decode(opencv(".png", CvType.CV_16UC3, 65535, greys), pixels);
        Quarters.assertColours(pixels, greys);
        decoder.decode(opencv(".png", CvType.CV_16UC1, 65535, greys), pixels);
        Quarters.assertColours(pixels, greys);
        decoder.decode(opencv(".jpg", CvType.CV_8UC1, 255, greys), pixels);
        Quarters.assertColours(pixels, greys);
        decoder.decode(opencv(".png", CvType.CV_8UC1, 255, greys), pixels);
        Quarters.assertColours(pixels, greys);
    }

    @ParameterizedTest
    @ValueSource(strings = {".png", ".webp"})
    void shouldBlendTransparencyOverWhite(String format) throws Exception {
        Color transparent = new Color(255, 0, 0, 0);
        Color half = new Color(255, 0, 0, 128);
        decoder.decode(
                opencv(format, CvType.CV_8UC4, 255, List.of(transparent, half, Color.BLUE, Color.BLACK)), pixels);
        Quarters.assertColours(pixels, List.of(Color.WHITE, new Color(255, 127, 127), Color.BLUE, Color.BLACK));
    }

    @Test
    void shouldBlendTransparentGifOverWhite() throws Exception {
        BufferedImage picture = Quarters.picture(
                64,
                64,
                BufferedImage.TYPE_INT_ARGB,
                List.of(new Color(0, 0, 0, 0), Color.GREEN, Color.BLUE, Color.YELLOW));
        decoder.decode(Quarters.encode(picture, "gif"), pixels);
        Quarters.assertColours(pixels, List.of(Color.WHITE, Color.GREEN, Color.BLUE, Color.YELLOW));
    }

    @Test
    void shouldDecodeTheFirstFrameOfAnAnimatedWebp() throws Exception {
        assertThat(decoder.decode(Quarters.resource("animated.webp"), pixels)).isEqualTo(new ImageSize(64, 64));
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldCropTheCentre() throws Exception {
        decoder.decode(Quarters.png(400, 64), pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
        // colours far from the centre, which are cropped away
        BufferedImage picture = Quarters.picture(400, 64, BufferedImage.TYPE_INT_RGB);
        picture.createGraphics().fillRect(0, 0, 100, 64);
        decoder.decode(Quarters.encode(picture, "png"), pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldSquash() throws Exception {
        ImageDecoder squashing = new ImageDecoder(Quarters.SIZE, Resize.SQUASH, budget());
        // one side shrinks while the other grows
        squashing.decode(Quarters.png(400, 16), pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @Test
    void shouldLetterboxWithBlack() throws Exception {
        ImageDecoder letterboxing = new ImageDecoder(Quarters.SIZE, Resize.LETTERBOX, budget());
        BufferedImage white = new BufferedImage(200, 50, BufferedImage.TYPE_INT_RGB);
        white.createGraphics().fillRect(0, 0, 200, 50);
        letterboxing.decode(Quarters.encode(white, "png"), pixels);
        assertThat(pixels.get(0)).isZero();
        assertThat(pixels.get(3 * Quarters.SIZE * (Quarters.SIZE / 2)) & 0xFF).isEqualTo(255);
        assertThat(pixels.get(3 * (Quarters.SIZE * Quarters.SIZE - 1))).isZero();
    }

    @ParameterizedTest
    @CsvSource({"jpg, 0.5", "jpg, 0.98", "png, 0.5", "png, 0.98", "gif, 0.5", "bmp, 0.5", "tiff, 0.5", "jpg, 0.02"})
    void shouldRefuseTruncatedImages(String format, double part) {
        byte[] image = Quarters.encode(noise(200, 150), format);
        assertFails(Arrays.copyOf(image, (int) (image.length * part)), FailureReason.CORRUPT_IMAGE);
    }

    @Test
    void shouldRefuseATruncatedWebp() {
        byte[] image = Quarters.resource("turned.webp");
        assertFails(Arrays.copyOf(image, image.length - 20), FailureReason.CORRUPT_IMAGE, "truncated");
    }

    @Test
    void shouldAcceptDataAfterTheEndOfAJpeg() throws Exception {
        byte[] image = Quarters.jpeg(100, 100);
        byte[] motionPhoto = Arrays.copyOf(image, image.length + 5000);
        Arrays.fill(motionPhoto, image.length, motionPhoto.length, (byte) 'v');
        decoder.decode(motionPhoto, pixels);
        Quarters.assertColours(pixels, Quarters.UPRIGHT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jpg", "png", "tiff", "gif"})
    void shouldRefuseDamagedImagesOrDecodeSomething(String format) throws Exception {
        byte[] image = Quarters.encode(noise(120, 120), format);
        for (int seed = 0; seed < 50; seed++) {
            byte[] damaged = image.clone();
            new java.util.Random(seed).ints(20, 8, damaged.length).forEach(at -> damaged[at] ^= 0x55);
            try {
                assertThat(decoder.decode(damaged, pixels).width()).isPositive();
            } catch (ImageException e) {
                assertThat(e.reason())
                        .isIn(
                                FailureReason.CORRUPT_IMAGE,
                                FailureReason.TOO_MANY_PIXELS,
                                FailureReason.UNSUPPORTED_FORMAT);
            }
        }
    }

    @Test
    void shouldRefuseTooManyPixelsByTheHeader() throws Exception {
        assertFails(hugePng(20_000, 10_000), FailureReason.TOO_MANY_PIXELS, "20000 x 10000 = 200000000", "100000000");
    }

    @Test
    void shouldRefuseFormatsThatAreNotToBeDecoded() throws Exception {
        PixelBudget onlyPng = new PixelBudget(MAX_PIXELS, Set.of(ImageFormat.PNG), OptionNames.OF_THE_LIBRARY);
        ImageDecoder choosy = new ImageDecoder(Quarters.SIZE, Resize.SQUASH, onlyPng);

        assertThat(choosy.decode(Quarters.png(40, 30), Quarters.target())).isEqualTo(new ImageSize(40, 30));
        assertThatThrownBy(() -> choosy.decode(Quarters.jpeg(40, 30), Quarters.target()))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.UNSUPPORTED_FORMAT))
                .hasMessage("images in the format JPEG are not decoded here; submit another format, or add this one to"
                        + " decodeFormats");
    }

    @Test
    void shouldSayWhatIsNoImage() {
        assertFails(new byte[0], FailureReason.UNSUPPORTED_FORMAT, "empty (0 bytes)");
        assertFails(
                ascii("<!DOCTYPE html>\n<title>Sign in</title>"),
                FailureReason.UNSUPPORTED_FORMAT,
                "HTML page",
                "Sign in");
        assertFails(ascii("{\"error\": 1}"), FailureReason.UNSUPPORTED_FORMAT, "JSON");
        assertFails(ascii("%PDF-1.7"), FailureReason.UNSUPPORTED_FORMAT, "PDF");
        assertFails(ascii("<svg xmlns='x'/>"), FailureReason.UNSUPPORTED_FORMAT, "SVG");
        assertFails(ascii("just words"), FailureReason.UNSUPPORTED_FORMAT, "text (\"just words\")");
        assertFails(ascii("\0\0\0\34ftypavif"), FailureReason.UNSUPPORTED_FORMAT, "AVIF");
        assertFails(ascii("\0\0\0\34ftypheic"), FailureReason.UNSUPPORTED_FORMAT, "HEIC");
        assertFails(ascii("\0\0\0\34ftypisom"), FailureReason.UNSUPPORTED_FORMAT, "video");
        assertFails(ascii("\1\2\3\4"), FailureReason.UNSUPPORTED_FORMAT, "01 02 03 04");
    }

    private static PixelBudget budget() {
        return new PixelBudget(MAX_PIXELS, OptionNames.OF_THE_LIBRARY);
    }

    private void assertFails(byte[] image, FailureReason reason, String... inMessage) {
        assertThatThrownBy(() -> decoder.decode(image, pixels))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageContainingAll(inMessage.length == 0 ? new String[] {"the"} : inMessage);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static BufferedImage noise(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        int[] colours = new java.util.Random(1).ints((long) width * height).toArray();
        image.setRGB(0, 0, width, height, colours, 0, width);
        return image;
    }

    private static byte[] opencv(String format, int type, double white, List<Color> colours) {
        Mat image = new Mat(64, 64, type);
        MatOfByte encoded = new MatOfByte();
        try {
            for (int i = 0; i < 4; i++) {
                Color colour = colours.get(i);
                double scale = white / 255;
                Mat quarter = image.submat(i / 2 * 32, i / 2 * 32 + 32, i % 2 * 32, i % 2 * 32 + 32);
                quarter.setTo(new Scalar(
                        colour.getBlue() * scale,
                        colour.getGreen() * scale,
                        colour.getRed() * scale,
                        colour.getAlpha() * scale));
                quarter.release();
            }
            assertThat(Imgcodecs.imencode(format, image, encoded)).isTrue();
            return encoded.toArray();
        } finally {
            image.release();
            encoded.release();
        }
    }

    /** The JPEG with EXIF data inserted after its first marker. */
    private static byte[] withOrientation(byte[] jpeg, int orientation) {
        ByteBuffer exif = ByteBuffer.allocate(36).order(ByteOrder.BIG_ENDIAN);
        exif.putShort((short) 0xFFE1)
                .putShort((short) 34)
                .put(ascii("Exif\0\0MM\0*"))
                .putInt(8);
        exif.putShort((short) 1).putShort((short) 274).putShort((short) 3).putInt(1);
        exif.putShort((short) orientation).putShort((short) 0).putInt(0);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, 2);
        out.writeBytes(exif.array());
        out.write(jpeg, 2, jpeg.length - 2);
        return out.toByteArray();
    }

    /** A small PNG whose header claims another size. */
    private static byte[] hugePng(int width, int height) {
        byte[] png = Quarters.png(8, 8);
        ByteBuffer buffer = ByteBuffer.wrap(png);
        buffer.putInt(16, width).putInt(20, height);
        CRC32 checksum = new CRC32();
        checksum.update(png, 12, 17);
        buffer.putInt(29, (int) checksum.getValue());
        return png;
    }
}
