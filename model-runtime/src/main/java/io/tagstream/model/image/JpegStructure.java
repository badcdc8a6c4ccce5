/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;

/** The markers of a JPEG (ITU-T T.81, annex B). */
final class JpegStructure {
    private static final int END = 0xD9;
    private static final int SCAN = 0xDA;
    private static final int APP1 = 0xE1;
    /**
     * A progressive JPEG usually has about ten scans. Each takes a pass over the whole picture, however few bytes it
     * has: a few megabytes of scans would take hours.
     */
    private static final int MOST_SCANS = 100;

    private static final byte[] EXIF = {'E', 'x', 'i', 'f', 0, 0};

    private JpegStructure() {}

    static ImageHeader read(ByteBuffer jpeg) throws ImageException {
        int width = 0;
        int height = 0;
        int orientation = 1;
        boolean progressive = false;
        int components = 0;
        boolean endsProperly = endsProperly(jpeg);
        int position = 2;
        while (true) {
            while (unsigned(jpeg, position) != 0xFF) {
                position++;
            }
            while (unsigned(jpeg, position) == 0xFF) {
                position++;
            }
            int marker = unsigned(jpeg, position++);
            if (marker == END) {
                throw ImageHeader.corrupt(ImageFormat.JPEG, "ends before its picture begins");
            }
            if (hasNoLength(marker)) {
                continue;
            }
            int length = jpeg.getShort(position) & 0xFFFF;
            if (isFrame(marker)) {
                progressive = isProgressive(marker);
                components = unsigned(jpeg, position + 7);
                height = jpeg.getShort(position + 3) & 0xFFFF;
                width = jpeg.getShort(position + 5) & 0xFFFF;
            } else if (marker == APP1 && startsWithExif(jpeg, position + 2, length - 2)) {
                orientation = ImageDirectory.orientation(slice(jpeg, position + 8, length - 8));
            } else if (marker == SCAN) {
                // phones append previews and videos, so look for the end marker itself
                boolean moreScans = progressive || unsigned(jpeg, position + 2) < components;
                if (moreScans || !endsProperly) {
                    seekEnd(jpeg, position + length);
                }
                return new ImageHeader(ImageFormat.JPEG, width, height, orientation);
            }
            position += length;
        }
    }

    /** Whether the file ends with the end marker, apart from zeros. Nearly all files do, and this is quick to check. */
    private static boolean endsProperly(ByteBuffer jpeg) {
        int last = jpeg.limit() - 1;
        while (last > 2 && jpeg.get(last) == 0) {
            last--;
        }
        return unsigned(jpeg, last) == END && unsigned(jpeg, last - 1) == 0xFF;
    }

    private static void seekEnd(ByteBuffer jpeg, int from) throws ImageException {
        int position = from;
        int scans = 1;
        while (true) {
            while (unsigned(jpeg, position) != 0xFF) {
                position++;
            }
            int marker = unsigned(jpeg, ++position);
            if (marker == END) {
                return;
            }
            if (marker == SCAN && ++scans > MOST_SCANS) {
                throw ImageHeader.corrupt(ImageFormat.JPEG, "has more than %d scans".formatted(MOST_SCANS));
            }
            if (marker == 0xFF) {
                continue;
            }
            position++;
            if (marker != 0 && !hasNoLength(marker)) {
                position += jpeg.getShort(position) & 0xFFFF;
            }
        }
    }

    private static boolean isFrame(int marker) {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    private static boolean isProgressive(int marker) {
        return (marker & 0x03) == 2;
    }

    private static boolean hasNoLength(int marker) {
        return marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    }

    private static boolean startsWithExif(ByteBuffer jpeg, int position, int length) {
        return length >= EXIF.length && ByteBuffer.wrap(EXIF).equals(slice(jpeg, position, EXIF.length));
    }

    private static ByteBuffer slice(ByteBuffer jpeg, int position, int length) {
        return jpeg.slice(position, length);
    }

    private static int unsigned(ByteBuffer buffer, int position) {
        return buffer.get(position) & 0xFF;
    }
}
