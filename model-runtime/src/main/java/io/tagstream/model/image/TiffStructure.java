/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The pages of a TIFF, of which the first counts that is no thumbnail and no mask. The decoder turns it upright and
 * reports truncation itself.
 */
final class TiffStructure {
    private static final int KIND = 254;
    private static final int OLD_KIND = 255;
    private static final int BITS = 258;
    private static final int COLOURS = 262;
    private static final int SAMPLES = 277;
    private static final int EXTRA_SAMPLES = 338;
    private static final int SAMPLE_FORMAT = 339;

    private static final int COLOUR_PROFILE = 34_675;

    private static final int REDUCED = 1;
    private static final int MASK = 4;
    private static final int OLD_REDUCED = 2;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int PREMULTIPLIED = 1;
    private static final int STRAIGHT = 2;
    private static final int WHOLE_NUMBERS = 1;
    private static final int MOST_PAGES = 1000;

    private TiffStructure() {}

    static ImageHeader read(ByteBuffer tiff) throws ImageException {
        ImageDirectory page = page(tiff);
        int bits = page.value(BITS, 1);
        if (page.value(SAMPLE_FORMAT, WHOLE_NUMBERS) != WHOLE_NUMBERS) {
            throw unsupported("whose samples are not whole numbers from 0");
        }
        if (!isDecodable(bits, page.value(COLOURS, 0))) {
            throw unsupported("with %d bits a sample".formatted(bits));
        }
        return ImageHeader.of(
                        ImageFormat.TIFF,
                        page.value(ImageDirectory.WIDTH, 0),
                        page.value(ImageDirectory.HEIGHT, 0),
                        page.orientation(),
                        // the decoder holds the stored samples beside the decoded ones
                        bits == 16 ? 2 : 1)
                .withProfile(page.bytes(COLOUR_PROFILE));
    }

    private static ImageException unsupported(String kind) {
        return ImageHeader.unsupported(ImageFormat.TIFF, kind, "submit one with 8 or 16 bits");
    }

    /** The page to decode: the first one if all of them are thumbnails. */
    static ImageDirectory page(ByteBuffer tiff) {
        ImageDirectory first = ImageDirectory.first(tiff);
        Optional<ImageDirectory> page = Optional.of(first);
        for (int i = 0; i < MOST_PAGES && page.isPresent(); i++) {
            if (isPicture(page.get())) {
                return page.get();
            }
            page = page.get().next();
        }
        return first;
    }

    /** How the page's transparency is stored. */
    static Alpha alpha(ImageDirectory page) {
        if (page.value(COLOURS, 0) != RGB || page.value(SAMPLES, 1) != 4) {
            return Alpha.NONE;
        }
        return switch (page.value(EXTRA_SAMPLES, 0)) {
            case PREMULTIPLIED -> Alpha.PREMULTIPLIED;
            // libtiff multiplies 8-bit samples
            case STRAIGHT -> page.value(BITS, 1) == 8 ? Alpha.PREMULTIPLIED : Alpha.STRAIGHT;
            default -> Alpha.NONE;
        };
    }

    private static boolean isPicture(ImageDirectory page) {
        return (page.value(KIND, 0) & (REDUCED | MASK)) == 0 && page.value(OLD_KIND, 0) != OLD_REDUCED;
    }

    private static boolean isDecodable(int bits, int colours) {
        return bits == 8 || bits == 16 || (colours == PALETTE ? bits == 4 : bits == 1);
    }
}
