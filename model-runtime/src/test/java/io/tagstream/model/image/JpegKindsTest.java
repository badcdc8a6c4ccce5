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
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JPEGs as cameras, phones and broken uploads leave them. */
class JpegKindsTest {
    private static final byte[] JPEG = Quarters.encode(noise(200, 150), "jpg");
    private static final byte[] PROGRESSIVE = Quarters.resource("progressive.jpg");

    private final ImageDecoder decoder = new ImageDecoder(
            Quarters.SIZE, Resize.SQUASH, new PixelBudget(PixelBudget.DEFAULT_MAX_PIXELS, OptionNames.OF_THE_LIBRARY));

    @Test
    void shouldDecodeAJpegThatLacksOnlyItsEndMarker() throws Exception {
        assertThat(decoded(withoutEnd(JPEG))).isEqualTo(decoded(JPEG));
        assertThat(decoded(withoutEnd(PROGRESSIVE))).isEqualTo(decoded(PROGRESSIVE));
    }

    @Test
    void shouldDecodeAJpegWhoseEndMarkerIsMissingBeforeItsTrailer() throws Exception {
        byte[] expected = decoded(JPEG);
        assertThat(decoded(join(withoutEnd(JPEG), new byte[3000]))).isEqualTo(expected);
        assertThat(decoded(join(withoutEnd(JPEG), "MotionPhoto_Data"))).isEqualTo(expected);
        assertThat(decoded(join(withoutEnd(JPEG), Quarters.jpeg(64, 64)))).isEqualTo(expected);
        assertThat(decoded(join(withoutEnd(PROGRESSIVE), Quarters.jpeg(64, 64))))
                .isEqualTo(decoded(PROGRESSIVE));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.3, 0.5, 0.8, 0.95, 0.99})
    void shouldRefuseATruncatedJpegWhateverFollowsIt(double part) {
        for (byte[] jpeg : new byte[][] {JPEG, PROGRESSIVE}) {
            byte[] truncated = Arrays.copyOf(jpeg, (int) (jpeg.length * part));
            assertFails(truncated, FailureReason.CORRUPT_IMAGE, "truncated");
            assertFails(join(truncated, new byte[3000]), FailureReason.CORRUPT_IMAGE, "truncated");
            assertFails(join(truncated, Quarters.jpeg(64, 64), "x"), FailureReason.CORRUPT_IMAGE, "the JPEG");
        }
    }

    @Test
    void shouldRefuseAProgressiveJpegThatEndsBetweenItsScans() {
        byte[] truncated = Arrays.copyOf(PROGRESSIVE, Forge.jpegSegmentAt(PROGRESSIVE, 0xDA));
        assertFails(truncated, FailureReason.CORRUPT_IMAGE, "truncated");
    }

    @Test
    void shouldFollowTheFirstOfTwoExifSegments() throws Exception {
        byte[] jpeg = Forge.jpegWith(Quarters.jpeg(120, 80), exif(6), exif(1));
        assertThat(decoder.decode(jpeg, Quarters.target())).isEqualTo(new ImageSize(80, 120));
    }

    @ParameterizedTest
    @ValueSource(ints = {0xC3, 0xC5, 0xC7, 0xCB, 0xF7})
    void shouldSayThatRareKindsAreNotSupported(int frame) {
        byte[] jpeg = JPEG.clone();
        jpeg[Forge.jpegSegmentAt(jpeg, 0xC0) + 1] = (byte) frame;
        assertFails(jpeg, FailureReason.UNSUPPORTED_FORMAT, "JPEG", "baseline or progressive");
    }

    @Test
    void shouldSayThatTwelveBitsAreNotSupported() {
        byte[] jpeg = JPEG.clone();
        jpeg[Forge.jpegSegmentAt(jpeg, 0xC0) + 4] = 12;
        assertFails(jpeg, FailureReason.UNSUPPORTED_FORMAT, "12 bits a sample");
    }

    @Test
    void shouldCountOnlyWhatDecodingNeeds() throws Exception {
        assertThat(ImageHeader.read(Forge.jpegSaying(JPEG, 12_000, 9000)).cost())
                .as("108 megapixels, 3 bytes each")
                .isEqualTo(40_500_000);
        assertThat(ImageHeader.read(Forge.jpegSaying(JPEG, 16_320, 12_240)).cost())
                .as("200 megapixels")
                .isLessThan(PixelBudget.DEFAULT_MAX_PIXELS);
        ImageHeader progressive = ImageHeader.read(PROGRESSIVE);
        assertThat(progressive.cost())
                .as("coefficients of all scans beside the pixels")
                .isBetween(progressive.pixels() * 6 / 8, progressive.pixels() * 9 / 8);
        ImageHeader cmyk = ImageHeader.read(Quarters.resource("cmyk.jpg"));
        assertThat(cmyk.cost()).isBetween(cmyk.pixels() * 3 / 8, cmyk.pixels() * 11 / 8);
    }

    private byte[] decoded(byte[] jpeg) throws Exception {
        ByteBuffer pixels = Quarters.target();
        decoder.decode(jpeg, pixels);
        byte[] copy = new byte[pixels.capacity()];
        pixels.get(0, copy);
        return copy;
    }

    private void assertFails(byte[] image, FailureReason reason, String... inMessage) {
        assertThatThrownBy(() -> decoder.decode(image, Quarters.target()))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageContainingAll(inMessage);
    }

    private static byte[] withoutEnd(byte[] jpeg) {
        return Arrays.copyOf(jpeg, jpeg.length - 2);
    }

    private static byte[] exif(int orientation) {
        return Forge.jpegSegment(0xE1, join("Exif\0\0", Forge.exif(orientation)));
    }

    private static BufferedImage noise(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        int[] colours = new Random(1).ints((long) width * height).toArray();
        image.setRGB(0, 0, width, height, colours, 0, width);
        return image;
    }
}
