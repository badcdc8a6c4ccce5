/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;

/** The chunks of a PNG (ISO/IEC 15948, 5.3). */
final class PngStructure {
    private static final int HEADER = 0x49484452; // IHDR
    private static final int EXIF = 0x65584966; // eXIf
    private static final int END = 0x49454E44; // IEND
    private static final int FIRST_CHUNK = 8;
    private static final int AROUND_DATA = 12; // length, type, checksum

    private PngStructure() {}

    static ImageHeader read(ByteBuffer png) throws ImageException {
        if (png.getInt(FIRST_CHUNK + 4) != HEADER) {
            throw ImageHeader.corrupt(ImageFormat.PNG, "does not begin with its header");
        }
        int width = png.getInt(FIRST_CHUNK + 8);
        int height = png.getInt(FIRST_CHUNK + 12);
        int orientation = 1;
        int position = FIRST_CHUNK;
        while (png.getInt(position + 4) != END) {
            int length = png.getInt(position);
            if (length < 0 || length > png.limit() - AROUND_DATA - position) {
                throw new IndexOutOfBoundsException("chunk at " + position);
            }
            if (png.getInt(position + 4) == EXIF) {
                orientation = ImageDirectory.orientation(png.slice(position + 8, length));
            }
            position += AROUND_DATA + length;
        }
        return new ImageHeader(ImageFormat.PNG, width, height, orientation);
    }
}
