/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The chunks of a PNG (ISO/IEC 15948, 5.3). */
final class PngStructure {
    private static final int HEADER = 0x49484452; // IHDR
    private static final int EXIF = 0x65584966; // eXIf
    private static final int TRANSPARENCY = 0x74524E53; // tRNS
    private static final int PROFILE = 0x69434350; // iCCP
    private static final int END = 0x49454E44; // IEND
    private static final int FIRST_CHUNK = 8;
    private static final int AROUND_DATA = 12; // length, type, checksum
    private static final int GREY = 0;
    /** Seven passes over the rows take more than twice the time of one. */
    private static final int INTERLACED_COST = 2;

    private PngStructure() {}

    static ImageHeader read(ByteBuffer png) throws ImageException {
        if (png.getInt(FIRST_CHUNK + 4) != HEADER) {
            throw ImageHeader.corrupt(ImageFormat.PNG, "does not begin with its header");
        }
        int width = png.getInt(FIRST_CHUNK + 8);
        int height = png.getInt(FIRST_CHUNK + 12);
        boolean interlaced = png.get(FIRST_CHUNK + 20) != 0;
        int orientation = 0;
        List<ByteBuffer> profile = List.of();
        int position = FIRST_CHUNK;
        while (png.getInt(position + 4) != END) {
            int length = lengthOfChunk(png, position);
            if (png.getInt(position + 4) == EXIF && orientation == 0) {
                orientation = ImageDirectory.orientation(png.slice(position + 8, length));
            } else if (png.getInt(position + 4) == PROFILE) {
                profile = deflatedProfile(png.slice(position + 8, length));
            }
            position += AROUND_DATA + length;
        }
        return ImageHeader.of(
                        ImageFormat.PNG, width, height, Math.max(1, orientation), interlaced ? INTERLACED_COST : 1)
                .withProfile(profile);
    }

    /** What follows the profile's name and the method of compression. */
    private static List<ByteBuffer> deflatedProfile(ByteBuffer chunk) {
        int end = 0;
        while (end < chunk.limit() && chunk.get(end) != 0) {
            end++;
        }
        int from = end + 2;
        return from < chunk.limit() ? List.of(chunk.slice(from, chunk.limit() - from)) : List.of();
    }

    /** The PNG without its EXIF data: libpng loses its place in data that does not begin with a byte order. */
    static List<ByteBuffer> withoutExif(ByteBuffer png) {
        List<ByteBuffer> parts = new ArrayList<>();
        int from = 0;
        int position = FIRST_CHUNK;
        while (png.getInt(position + 4) != END) {
            int next = position + AROUND_DATA + lengthOfChunk(png, position);
            if (png.getInt(position + 4) == EXIF) {
                parts.add(png.slice(from, position - from));
                from = next;
            }
            position = next;
        }
        parts.add(png.slice(from, png.limit() - from));
        return parts;
    }

    /** The sample of a grey PNG, as it would be with 8 or 16 bits, that stands for transparency. */
    static OptionalInt transparentGrey(ByteBuffer png) {
        int bits = png.get(FIRST_CHUNK + 16);
        if (png.get(FIRST_CHUNK + 17) != GREY) {
            return OptionalInt.empty();
        }
        int position = FIRST_CHUNK;
        while (png.getInt(position + 4) != END) {
            int length = lengthOfChunk(png, position);
            if (png.getInt(position + 4) == TRANSPARENCY && length >= 2) {
                int sample = png.getShort(position + 8) & ((1 << bits) - 1);
                return OptionalInt.of(bits < 8 ? sample * 255 / ((1 << bits) - 1) : sample);
            }
            position += AROUND_DATA + length;
        }
        return OptionalInt.empty();
    }

    private static int lengthOfChunk(ByteBuffer png, int position) {
        int length = png.getInt(position);
        if (length < 0 || length > png.limit() - AROUND_DATA - position) {
            throw new IndexOutOfBoundsException("chunk at " + position);
        }
        return length;
    }
}
