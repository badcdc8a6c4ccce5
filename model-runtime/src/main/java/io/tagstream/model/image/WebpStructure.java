/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** The chunks of a WebP (RFC 9649). */
final class WebpStructure {
    private static final int LOSSY = 0x20385056; // "VP8 ", little-endian
    private static final int LOSSLESS = 0x4C385056; // "VP8L"
    private static final int EXTENDED = 0x58385056; // "VP8X"
    private static final int EXIF = 0x46495845; // "EXIF"
    private static final int PROFILE = 0x50434349; // "ICCP"
    private static final int FRAME = 0x464D4E41; // "ANMF"
    private static final int RIFF = 0x46464952;
    private static final int WEBP = 0x50424557;
    private static final int ANIMATION = 0x02;
    private static final int TRANSPARENCY = 0x10;
    private static final int FIRST_CHUNK = 12;
    private static final int CHUNK_HEAD = 8;
    private static final int FRAME_HEAD = 16;
    private static final int CANVAS_BYTES = 10;
    /** The canvas is held beside its first frame, each with four channels. */
    private static final int ANIMATION_COST = 2;

    private WebpStructure() {}

    /**
     * The first frame of an animation.
     *
     * @param left its place on the canvas
     * @param top its place on the canvas
     * @param still a WebP of the frame alone, in parts
     */
    record Frame(int left, int top, int width, int height, List<ByteBuffer> still) {}

    static ImageHeader read(ByteBuffer bigEndian) throws ImageException {
        ByteBuffer webp = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        long end = (webp.getInt(4) & 0xFFFFFFFFL) + CHUNK_HEAD;
        if (end > webp.limit()) {
            throw new IndexOutOfBoundsException("RIFF of " + end);
        }
        int data = FIRST_CHUNK + CHUNK_HEAD;
        return switch (webp.getInt(FIRST_CHUNK)) {
            case LOSSY ->
                ImageHeader.of(ImageFormat.WEBP, webp.getShort(data + 6) & 0x3FFF, webp.getShort(data + 8) & 0x3FFF, 1);
            case LOSSLESS -> {
                int bits = webp.getInt(data + 1);
                yield ImageHeader.of(ImageFormat.WEBP, (bits & 0x3FFF) + 1, ((bits >>> 14) & 0x3FFF) + 1, 1);
            }
            case EXTENDED -> extended(webp, data, (int) end);
            default -> throw ImageHeader.corrupt(ImageFormat.WEBP, "does not begin with a picture");
        };
    }

    private static ImageHeader extended(ByteBuffer webp, int data, int end) throws ImageException {
        int width = canvasWidth(webp, data);
        int height = canvasHeight(webp, data);
        int orientation = 0;
        List<ByteBuffer> profile = List.of();
        long position = FIRST_CHUNK;
        while (position + CHUNK_HEAD <= end) {
            long length = webp.getInt((int) position + 4) & 0xFFFFFFFFL;
            if (position + CHUNK_HEAD + length <= end) {
                int type = webp.getInt((int) position);
                ByteBuffer content = webp.slice((int) position + CHUNK_HEAD, (int) length);
                if (type == EXIF && orientation == 0) {
                    orientation = ImageDirectory.orientation(content);
                } else if (type == PROFILE) {
                    profile = List.of(content);
                }
            }
            position += CHUNK_HEAD + length + (length & 1);
        }
        boolean animated = firstFrame(webp).isPresent();
        return ImageHeader.of(ImageFormat.WEBP, width, height, Math.max(1, orientation), animated ? ANIMATION_COST : 1)
                .withProfile(profile);
    }

    /**
     * The first frame, if the WebP is animated.
     *
     * @throws ImageException if there is no frame, or it reaches beyond the canvas
     */
    static Optional<Frame> firstFrame(ByteBuffer bigEndian) throws ImageException {
        ByteBuffer webp = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        int canvas = FIRST_CHUNK + CHUNK_HEAD;
        if (webp.getInt(FIRST_CHUNK) != EXTENDED || (webp.get(canvas) & ANIMATION) == 0) {
            return Optional.empty();
        }
        long position = FIRST_CHUNK;
        while (position + CHUNK_HEAD <= webp.limit()) {
            int at = (int) position;
            long length = webp.getInt(at + 4) & 0xFFFFFFFFL;
            if (webp.getInt(at) == FRAME && length > FRAME_HEAD && position + CHUNK_HEAD + length <= webp.limit()) {
                return Optional.of(frame(webp, canvas, at + CHUNK_HEAD, (int) length));
            }
            position += CHUNK_HEAD + length + (length & 1);
        }
        throw ImageHeader.corrupt(ImageFormat.WEBP, "is animated but has no frame");
    }

    private static Frame frame(ByteBuffer webp, int canvas, int head, int length) throws ImageException {
        int left = 2 * (webp.getInt(head) & 0xFFFFFF);
        int top = 2 * (webp.getInt(head + 3) & 0xFFFFFF);
        int width = (webp.getInt(head + 6) & 0xFFFFFF) + 1;
        int height = (webp.getInt(head + 9) & 0xFFFFFF) + 1;
        if ((long) left + width > canvasWidth(webp, canvas) || (long) top + height > canvasHeight(webp, canvas)) {
            throw ImageHeader.corrupt(ImageFormat.WEBP, "has a frame that reaches beyond its canvas");
        }
        ByteBuffer picture = webp.slice(head + FRAME_HEAD, length - FRAME_HEAD);
        ByteBuffer start = ByteBuffer.allocate(FIRST_CHUNK + CHUNK_HEAD + CANVAS_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(RIFF)
                .putInt(Integer.BYTES + CHUNK_HEAD + CANVAS_BYTES + picture.limit())
                .putInt(WEBP)
                .putInt(EXTENDED)
                .putInt(CANVAS_BYTES)
                .putInt(TRANSPARENCY);
        start.put(webp.slice(head + 6, 6)).flip();
        return new Frame(left, top, width, height, List.of(start, picture));
    }

    private static int canvasWidth(ByteBuffer webp, int canvas) {
        return (webp.getInt(canvas + 4) & 0xFFFFFF) + 1;
    }

    private static int canvasHeight(ByteBuffer webp, int canvas) {
        return (webp.getInt(canvas + 6) >>> 8) + 1;
    }
}
