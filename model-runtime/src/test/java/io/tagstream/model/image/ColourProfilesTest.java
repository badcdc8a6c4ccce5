/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static io.tagstream.model.image.Forge.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.ColourConversion.Unchanged;
import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Embedded profiles. In the one made here, red and blue have changed places. */
class ColourProfilesTest {
    private static final List<Color> STORED = List.of(Color.BLUE, Color.GREEN, Color.RED, Color.WHITE);
    private static final List<Color> MEANT = List.of(Color.RED, Color.GREEN, Color.BLUE, Color.WHITE);
    private static final BufferedImage PICTURE = Quarters.picture(64, 64, BufferedImage.TYPE_INT_RGB, STORED);
    private static final byte[] PLAIN =
            ICC_Profile.getInstance(ColorSpace.CS_sRGB).getData();

    private final ImageDecoder decoder = new ImageDecoder(
            Quarters.SIZE, Resize.SQUASH, new PixelBudget(PixelBudget.DEFAULT_MAX_PIXELS, OptionNames.OF_THE_LIBRARY));
    private final ByteBuffer pixels = Quarters.target();

    @Test
    void shouldApplyTheProfileOfAJpeg() throws Exception {
        decoder.decode(jpeg(segment(1, 1, swapped())), pixels);
        Quarters.assertColours(pixels, MEANT);
    }

    @Test
    void shouldJoinAProfileInTheOrderOfItsParts() throws Exception {
        byte[] profile = swapped();
        byte[] first = Arrays.copyOf(profile, 1000);
        byte[] second = Arrays.copyOfRange(profile, 1000, profile.length);
        decoder.decode(jpeg(segment(2, 2, second), segment(1, 2, first)), pixels);
        Quarters.assertColours(pixels, MEANT);
        decoder.decode(jpeg(segment(1, 2, first)), pixels);
        Quarters.assertColours(pixels, STORED);
    }

    @Test
    void shouldApplyTheProfileOfAPng() throws Exception {
        byte[] chunk = Forge.pngChunk("iCCP", join("profile\0\0", Forge.deflated(swapped())));
        decoder.decode(Forge.pngWith(Quarters.encode(PICTURE, "png"), chunk), pixels);
        Quarters.assertColours(pixels, MEANT);
    }

    @Test
    void shouldApplyTheProfileOfAWebp() throws Exception {
        byte[] picture = Arrays.copyOfRange(Quarters.resource("turned.webp"), 30, 84);
        byte[] profile = Forge.webpChunk("ICCP", swapped());
        decoder.decode(Forge.webp(Forge.webpCanvas(0x20, 64, 64), picture), pixels);
        ByteBuffer withProfile = Quarters.target();
        decoder.decode(Forge.webp(Forge.webpCanvas(0x20, 64, 64), profile, picture), withProfile);
        for (int i = 0; i < pixels.capacity(); i += 3) {
            assertThat(withProfile.get(i) & 0xFF).isCloseTo(pixels.get(i + 2) & 0xFF, within(2));
            assertThat(withProfile.get(i + 2) & 0xFF).isCloseTo(pixels.get(i) & 0xFF, within(2));
        }
    }

    @Test
    void shouldApplyAProfileOfGrey() throws Exception {
        byte[] linear = ICC_Profile.getInstance(ColorSpace.CS_GRAY).getData();
        BufferedImage grey = new BufferedImage(64, 64, BufferedImage.TYPE_BYTE_GRAY);
        Arrays.fill(((DataBufferByte) grey.getRaster().getDataBuffer()).getData(), (byte) 55);
        byte[] chunk = Forge.pngChunk("iCCP", join("profile\0\0", Forge.deflated(linear)));
        decoder.decode(Forge.pngWith(Quarters.encode(grey, "png"), chunk), pixels);
        // 55 of 255 in linear light is half of full brightness in sRGB
        assertThat(pixels.get(0) & 0xFF).isCloseTo(128, within(4));
    }

    @Test
    void shouldLeaveSrgbAsItIs() throws Exception {
        byte[] image = jpeg(segment(1, 1, PLAIN));
        assertThat(new ColourProfiles().of(ImageHeader.read(image))).isInstanceOf(Unchanged.class);
    }

    @Test
    void shouldIgnoreADamagedProfile() throws Exception {
        byte[] damaged = swapped();
        Arrays.fill(damaged, 128, damaged.length, (byte) 0xEE);
        decoder.decode(jpeg(segment(1, 1, damaged)), pixels);
        Quarters.assertColours(pixels, STORED);
    }

    @Test
    void shouldInflateNoMoreThanAProfileNeeds() throws Exception {
        byte[] bomb = Forge.pngChunk("iCCP", join("profile\0\0", Forge.deflated(new byte[50_000_000])));
        byte[] image = Forge.pngWith(Quarters.encode(PICTURE, "png"), bomb);
        assertThat(new ColourProfiles().of(ImageHeader.read(image))).isInstanceOf(Unchanged.class);
    }

    private static byte[] swapped() {
        ICC_Profile profile = ICC_Profile.getInstance(PLAIN);
        byte[] red = profile.getData(ICC_Profile.icSigRedColorantTag);
        profile.setData(ICC_Profile.icSigRedColorantTag, profile.getData(ICC_Profile.icSigBlueColorantTag));
        profile.setData(ICC_Profile.icSigBlueColorantTag, red);
        return profile.getData();
    }

    private static byte[] jpeg(byte[]... segments) {
        return Forge.jpegWith(Quarters.encode(PICTURE, "jpg"), segments);
    }

    private static byte[] segment(int part, int parts, byte[] profile) {
        return Forge.jpegSegment(0xE2, join("ICC_PROFILE\0", new byte[] {(byte) part, (byte) parts}, profile));
    }
}
