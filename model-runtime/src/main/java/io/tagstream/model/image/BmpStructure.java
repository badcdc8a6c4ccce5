/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The header of a BMP, and a check that an uncompressed BMP has all its rows. */
final class BmpStructure {
    private static final int CORE_HEADER_BYTES = 12;

    private BmpStructure() {}

    static ImageHeader read(ByteBuffer bigEndian) {
        ByteBuffer bmp = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        int rows = bmp.getInt(10);
        boolean core = bmp.getInt(14) == CORE_HEADER_BYTES;
        int width = core ? bmp.getShort(18) & 0xFFFF : bmp.getInt(18);
        // negative if rows are stored from the top down
        int height = core ? bmp.getShort(20) & 0xFFFF : Math.abs(bmp.getInt(22));
        int bitsPerPixel = bmp.getShort(core ? 24 : 28);
        int compression = core ? 0 : bmp.getInt(30);
        boolean compressed = compression == 1 || compression == 2;
        long rowBytes = ((long) width * bitsPerPixel + 31) / 32 * 4;
        if (!compressed && width > 0 && height > 0 && rows + rowBytes * height > bmp.limit()) {
            throw new IndexOutOfBoundsException("rows to " + (rows + rowBytes * height));
        }
        return new ImageHeader(ImageFormat.BMP, width, height, 1);
    }
}
