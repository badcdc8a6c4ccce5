/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;

/**
 * Converts RGB pixels to sRGB, with the JDK's colour management.
 *
 * <p><i>Threading notes.</i> May be used from any thread; {@link ColorConvertOp} converts one picture at a time.
 */
sealed interface ColourConversion {
    /** Converts the pixels in place: R, G and B, a byte each, from position 0 to the limit. */
    void convert(ByteBuffer rgb);

    /** For pixels that are sRGB, or as good as that. */
    record Unchanged() implements ColourConversion {
        @Override
        public void convert(ByteBuffer rgb) {
            // they are sRGB already
        }
    }

    /**
     * For pixels of another colour space.
     *
     * @param bands samples of a pixel in it: 3, or 1 for grey
     */
    record Converted(ColorConvertOp operation, int bands) implements ColourConversion {
        @Override
        public void convert(ByteBuffer rgb) {
            int pixels = rgb.limit() / RGB;
            byte[] from = new byte[rgb.limit()];
            rgb.get(0, from);
            if (bands == 1 && !isGrey(from)) {
                return;
            }
            WritableRaster source = Raster.createInterleavedRaster(0, pixels, 1, bands, null);
            byte[] samples = ((DataBufferByte) source.getDataBuffer()).getData();
            for (int i = 0; i < samples.length; i++) {
                samples[i] = from[i * RGB / bands];
            }
            WritableRaster target = Raster.createInterleavedRaster(0, pixels, 1, RGB, null);
            operation.filter(source, target);
            rgb.put(0, ((DataBufferByte) target.getDataBuffer()).getData());
        }

        private static boolean isGrey(byte[] rgb) {
            for (int i = 0; i < rgb.length; i += RGB) {
                if (rgb[i] != rgb[i + 1] || rgb[i] != rgb[i + 2]) {
                    return false;
                }
            }
            return true;
        }
    }

    int RGB = 3;

    /** By how much a sample may differ from sRGB's without being converted: all the profiles called sRGB do a little. */
    int TOLERANCE = 2;

    /** The conversion that a profile asks for: none if it is damaged, or neither of RGB nor of grey. */
    static ColourConversion from(byte[] profile) {
        try {
            ICC_Profile source = ICC_Profile.getInstance(profile);
            int bands = switch (source.getColorSpaceType()) {
                case ColorSpace.TYPE_RGB -> RGB;
                case ColorSpace.TYPE_GRAY -> 1;
                default -> 0;
            };
            if (bands == 0) {
                return new Unchanged();
            }
            ICC_Profile[] steps = {source, ICC_Profile.getInstance(ColorSpace.CS_sRGB)};
            ColourConversion converted = new Converted(new ColorConvertOp(steps, null), bands);
            return changes(converted, bands) ? converted : new Unchanged();
        } catch (RuntimeException e) {
            // damaged profiles are reported by various runtime exceptions, and the picture is good without
            return new Unchanged();
        } catch (LinkageError e) {
            System.getLogger(ColourConversion.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "colour profiles are ignored: this Java has no colour management",
                            e);
            return new Unchanged();
        }
    }

    private static boolean changes(ColourConversion conversion, int bands) {
        int[] levels = {0, 32, 64, 96, 128, 160, 192, 224, 255};
        ByteBuffer probes = ByteBuffer.allocate(RGB * levels.length * levels.length * levels.length);
        for (int red : levels) {
            for (int green : levels) {
                for (int blue : levels) {
                    probes.put((byte) red)
                            .put((byte) (bands == 1 ? red : green))
                            .put((byte) (bands == 1 ? red : blue));
                }
            }
        }
        byte[] before = probes.array().clone();
        conversion.convert(probes);
        for (int i = 0; i < before.length; i++) {
            if (Math.abs((probes.get(i) & 0xFF) - (before[i] & 0xFF)) > TOLERANCE) {
                return true;
            }
        }
        return false;
    }
}
