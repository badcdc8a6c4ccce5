/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;

/**
 * What an image says about itself, read without decoding it.
 *
 * @param width in pixels, as stored
 * @param height in pixels, as stored
 * @param orientation EXIF orientation, 1 to 8: how to turn the stored image upright
 */
record ImageHeader(ImageFormat format, int width, int height, int orientation) {

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
            throw new ImageException(
                    FailureReason.CORRUPT_IMAGE,
                    "the %s is truncated: its %d bytes end too early".formatted(format, bytes.length),
                    e);
        }
        if (header.width() < 1 || header.height() < 1) {
            throw corrupt(format, "says that it is %d x %d pixels".formatted(header.width(), header.height()));
        }
        return header;
    }

    static ImageException corrupt(ImageFormat format, String problem) {
        return new ImageException(FailureReason.CORRUPT_IMAGE, "the %s %s".formatted(format, problem));
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
