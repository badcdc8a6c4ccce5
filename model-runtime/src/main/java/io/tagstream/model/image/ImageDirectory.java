/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** An image file directory of a TIFF (TIFF 6.0, section 2). EXIF data has the same form. */
final class ImageDirectory {
    static final int WIDTH = 256;
    static final int HEIGHT = 257;

    private static final int ORIENTATION = 274;
    private static final int ENTRY_BYTES = 12;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int FIRST_DIRECTORY = 4;
    /** What EXIF data begins with in a JPEG, and in other files by some programs. */
    private static final int PREFIX_BYTES = 6;

    private final ByteBuffer tiff;
    private final int offset;
    private final int entries;
    private final int count;

    private ImageDirectory(ByteBuffer tiff, int offset) {
        this.tiff = tiff;
        this.offset = offset;
        this.count = tiff.getShort(offset) & 0xFFFF;
        this.entries = offset + 2;
    }

    /**
     * Opens the first directory.
     *
     * @throws IndexOutOfBoundsException if it lies outside the data
     */
    static ImageDirectory first(ByteBuffer bytes) {
        ByteBuffer tiff =
                bytes.get(0) == 'I' ? bytes.order(ByteOrder.LITTLE_ENDIAN) : bytes.order(ByteOrder.BIG_ENDIAN);
        return new ImageDirectory(tiff, tiff.getInt(FIRST_DIRECTORY));
    }

    /**
     * Opens the next directory, if there is one.
     *
     * @throws IndexOutOfBoundsException if it lies outside the data
     */
    Optional<ImageDirectory> next() {
        int next = tiff.getInt(entries + count * ENTRY_BYTES);
        return next == 0 ? Optional.empty() : Optional.of(new ImageDirectory(tiff, next));
    }

    /** The TIFF with this directory as its first. */
    List<ByteBuffer> asFirst() {
        ByteBuffer head = ByteBuffer.allocate(FIRST_DIRECTORY + Integer.BYTES).order(tiff.order());
        head.put(tiff.slice(0, FIRST_DIRECTORY)).putInt(offset).flip();
        return List.of(head, tiff.slice(head.limit(), tiff.limit() - head.limit()));
    }

    /**
     * The orientation in EXIF data. If there is none, or the data is garbage, it is 1, upright: the image is still
     * good.
     */
    static int orientation(ByteBuffer exif) {
        try {
            boolean prefixed = exif.limit() > PREFIX_BYTES && exif.get(0) == 'E' && exif.get(1) == 'x';
            return first(prefixed ? exif.slice(PREFIX_BYTES, exif.limit() - PREFIX_BYTES) : exif)
                    .orientation();
        } catch (IndexOutOfBoundsException e) {
            return 1;
        }
    }

    int orientation() {
        int value = value(ORIENTATION, 1);
        return value >= 1 && value <= 8 ? value : 1;
    }

    /** The first value of a tag of whole numbers. */
    int value(int tag, int otherwise) {
        for (int i = 0; i < count; i++) {
            int entry = entries + i * ENTRY_BYTES;
            if ((tiff.getShort(entry) & 0xFFFF) == tag) {
                int type = tiff.getShort(entry + 2);
                int values = tiff.getInt(entry + 4);
                if (type == SHORT) {
                    boolean elsewhere = Integer.compareUnsigned(values, 2) > 0;
                    return tiff.getShort(elsewhere ? tiff.getInt(entry + 8) : entry + 8) & 0xFFFF;
                }
                if (type == LONG) {
                    boolean elsewhere = Integer.compareUnsigned(values, 1) > 0;
                    return tiff.getInt(elsewhere ? tiff.getInt(entry + 8) : entry + 8);
                }
                return otherwise;
            }
        }
        return otherwise;
    }

    /** The bytes of a tag; none if there is no such tag, or they lie outside the data. */
    List<ByteBuffer> bytes(int tag) {
        for (int i = 0; i < count; i++) {
            int entry = entries + i * ENTRY_BYTES;
            if ((tiff.getShort(entry) & 0xFFFF) == tag) {
                int length = tiff.getInt(entry + 4);
                int from = tiff.getInt(entry + 8);
                boolean within = length > Integer.BYTES && from > 0 && from <= tiff.limit() - length;
                return within ? List.of(tiff.slice(from, length)) : List.of();
            }
        }
        return List.of();
    }
}
