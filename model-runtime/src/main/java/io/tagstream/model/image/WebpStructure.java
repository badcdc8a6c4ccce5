/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The chunks of a WebP (RFC 9649). */
final class WebpStructure {
    private static final int LOSSY = 0x20385056; // "VP8 ", little-endian
    private static final int LOSSLESS = 0x4C385056; // "VP8L"
    private static final int EXTENDED = 0x58385056; // "VP8X"
    private static final int EXIF = 0x46495845; // "EXIF"
    private static final int ANIMATION = 0x02;
    private static final int FIRST_CHUNK = 12;

    private WebpStructure() {}

    static ImageHeader read(ByteBuffer bigEndian) throws ImageException {
        ByteBuffer webp = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        long end = (webp.getInt(4) & 0xFFFFFFFFL) + 8;
        if (end > webp.limit()) {
            throw new IndexOutOfBoundsException("RIFF of " + end);
        }
        int data = FIRST_CHUNK + 8;
        return switch (webp.getInt(FIRST_CHUNK)) {
            case LOSSY ->
                new ImageHeader(
                        ImageFormat.WEBP, webp.getShort(data + 6) & 0x3FFF, webp.getShort(data + 8) & 0x3FFF, 1);
            case LOSSLESS -> {
                int bits = webp.getInt(data + 1);
                yield new ImageHeader(ImageFormat.WEBP, (bits & 0x3FFF) + 1, ((bits >>> 14) & 0x3FFF) + 1, 1);
            }
            case EXTENDED -> extended(webp, data, (int) end);
            default -> throw ImageHeader.corrupt(ImageFormat.WEBP, "does not begin with a picture");
        };
    }

    private static ImageHeader extended(ByteBuffer webp, int data, int end) throws ImageException {
        if ((webp.get(data) & ANIMATION) != 0) {
            throw new ImageException(
                    FailureReason.UNSUPPORTED_FORMAT, "the bytes are an animated WebP; submit a still image");
        }
        int width = (webp.getInt(data + 4) & 0xFFFFFF) + 1;
        int height = (webp.getInt(data + 6) >>> 8) + 1;
        int orientation = 1;
        long position = FIRST_CHUNK;
        while (position + 8 <= end) {
            long length = webp.getInt((int) position + 4) & 0xFFFFFFFFL;
            if (webp.getInt((int) position) == EXIF && position + 8 + length <= end) {
                orientation = ImageDirectory.orientation(exif(webp.slice((int) position + 8, (int) length)));
            }
            position += 8 + length + (length & 1);
        }
        return new ImageHeader(ImageFormat.WEBP, width, height, orientation);
    }

    /** Some programs keep the prefix that EXIF data has in a JPEG. */
    private static ByteBuffer exif(ByteBuffer chunk) {
        boolean prefixed = chunk.limit() > 6 && chunk.get(0) == 'E' && chunk.get(1) == 'x';
        return prefixed ? chunk.slice(6, chunk.limit() - 6) : chunk;
    }
}
