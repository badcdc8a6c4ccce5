/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalInt;

/**
 * What an image says about itself, read without decoding it.
 *
 * @param width in pixels, as stored
 * @param height in pixels, as stored
 * @param orientation EXIF orientation, 1 to 8: how to turn the stored image upright
 * @param cost what decoding takes, in pixels of {@link PixelBudget#BYTES_PER_PIXEL} bytes
 * @param unendedAt where the picture's data ends, if its end marker is missing
 * @param profile the ICC colour profile, in parts; those of a PNG are deflated
 */
record ImageHeader(
        ImageFormat format,
        int width,
        int height,
        int orientation,
        long cost,
        OptionalInt unendedAt,
        List<ByteBuffer> profile) {

    /** A picture of which each pixel costs one. */
    static ImageHeader of(ImageFormat format, int width, int height, int orientation) {
        return of(format, width, height, orientation, 1);
    }

    /** A picture of which each pixel costs as much as {@code costPerPixel} pixels. */
    static ImageHeader of(ImageFormat format, int width, int height, int orientation, int costPerPixel) {
        long cost = (long) width * height * costPerPixel;
        return new ImageHeader(format, width, height, orientation, cost, OptionalInt.empty(), List.of());
    }

    ImageHeader withProfile(List<ByteBuffer> parts) {
        return new ImageHeader(format, width, height, orientation, cost, unendedAt, parts);
    }

    /**
     * Reads the header and follows the file's structure to its end, because decoders return half of a truncated image
     * without an error.
     *
     * @throws ImageException if the bytes are not an image of a known format, or end too early
     */
    static ImageHeader read(byte[] bytes) throws ImageException {
        ImageFormat format = ImageFormat.of(bytes);
        ImageHeader header;
        try {
            header = format.header(ByteBuffer.wrap(bytes));
        } catch (IndexOutOfBoundsException e) {
            throw truncated(format, bytes);
        }
        if (header.width() < 1 || header.height() < 1) {
            throw corrupt(format, "says that it is %d x %d pixels".formatted(header.width(), header.height()));
        }
        return header;
    }

    static ImageException truncated(ImageFormat format, byte[] bytes) {
        return corrupt(format, "is truncated: its %d bytes end too early".formatted(bytes.length));
    }

    static ImageException corrupt(ImageFormat format, String problem) {
        return new ImageException(FailureReason.CORRUPT_IMAGE, "the %s %s".formatted(format, problem));
    }

    /** A kind of a known format that no decoder reads. */
    static ImageException unsupported(ImageFormat format, String kind, String remedy) {
        return new ImageException(
                FailureReason.UNSUPPORTED_FORMAT, "the bytes are a %s %s; %s".formatted(format, kind, remedy));
    }

    long pixels() {
        return (long) width * height;
    }

    /** Width once upright. */
    int uprightWidth() {
        return orientation >= 5 ? height : width;
    }

    /** Height once upright. */
    int uprightHeight() {
        return orientation >= 5 ? width : height;
    }
}
