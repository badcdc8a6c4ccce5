/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The blocks of a GIF (GIF89a), up to the end of its first frame. */
final class GifStructure {
    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2C;
    private static final int SCREEN_BYTES = 13;
    private static final int DESCRIPTOR_BYTES = 10;

    private GifStructure() {}

    /** The first frame's upper left corner, and the screen that holds all of the frame. */
    record Frame(int left, int top, ImageHeader screen) {}

    static ImageHeader read(ByteBuffer gif) throws ImageException {
        return firstFrame(gif).screen();
    }

    static Frame firstFrame(ByteBuffer bigEndian) throws ImageException {
        ByteBuffer gif = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        int width = gif.getShort(6) & 0xFFFF;
        int height = gif.getShort(8) & 0xFFFF;
        int position = SCREEN_BYTES + colourTableBytes(gif.get(10));
        while (true) {
            int block = gif.get(position) & 0xFF;
            if (block == EXTENSION) {
                position = afterSubBlocks(gif, position + 2);
            } else if (block == IMAGE) {
                int left = gif.getShort(position + 1) & 0xFFFF;
                int top = gif.getShort(position + 3) & 0xFFFF;
                int right = left + (gif.getShort(position + 5) & 0xFFFF);
                int bottom = top + (gif.getShort(position + 7) & 0xFFFF);
                int colours = colourTableBytes(gif.get(position + 9));
                afterSubBlocks(gif, position + DESCRIPTOR_BYTES + colours + 1);
                // a frame may reach beyond the screen, and all of it must count
                ImageHeader screen =
                        ImageHeader.of(ImageFormat.GIF, Math.max(width, right), Math.max(height, bottom), 1);
                return new Frame(left, top, screen);
            } else {
                throw ImageHeader.corrupt(ImageFormat.GIF, "has no frame");
            }
        }
    }

    private static int colourTableBytes(byte flags) {
        return (flags & 0x80) == 0 ? 0 : 3 << ((flags & 0x07) + 1);
    }

    private static int afterSubBlocks(ByteBuffer gif, int from) {
        int position = from;
        while (gif.get(position) != 0) {
            position += (gif.get(position) & 0xFF) + 1;
        }
        return position + 1;
    }
}
