/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The first image file directory of a TIFF (TIFF 6.0, section 2). EXIF data has the same form. */
final class ImageDirectory {
    static final int WIDTH = 256;
    static final int HEIGHT = 257;

    private static final int ORIENTATION = 274;
    private static final int ENTRY_BYTES = 12;
    private static final int SHORT = 3;
    private static final int LONG = 4;

    private final ByteBuffer tiff;
    private final int entries;
    private final int count;

    private ImageDirectory(ByteBuffer tiff) {
        this.tiff = tiff.get(0) == 'I' ? tiff.order(ByteOrder.LITTLE_ENDIAN) : tiff.order(ByteOrder.BIG_ENDIAN);
        int directory = this.tiff.getInt(4);
        this.count = this.tiff.getShort(directory) & 0xFFFF;
        this.entries = directory + 2;
    }

    /**
     * Opens the first directory.
     *
     * @throws IndexOutOfBoundsException if it lies outside the data
     */
    static ImageDirectory first(ByteBuffer tiff) {
        return new ImageDirectory(tiff);
    }

    /**
     * The orientation in EXIF data. If there is none, or the data is garbage, it is 1, upright: the image is still
     * good.
     */
    static int orientation(ByteBuffer exif) {
        try {
            return first(exif).orientation();
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
                if (type == SHORT) {
                    return tiff.getShort(entry + 8) & 0xFFFF;
                }
                return type == LONG ? tiff.getInt(entry + 8) : otherwise;
            }
        }
        return otherwise;
    }
}
