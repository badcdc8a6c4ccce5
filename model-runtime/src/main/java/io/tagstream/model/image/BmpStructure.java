/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/** The header of a BMP, a check that an uncompressed BMP has all its rows, and its transparency. */
final class BmpStructure {
    private static final int CORE_HEADER_BYTES = 12;
    /** The oldest header with an alpha mask. */
    private static final int HEADER_BYTES_WITH_ALPHA = 56;

    private static final int UNMASKED_ALPHA = 0xFF000000;

    private static final Set<Integer> HEADER_BYTES = Set.of(CORE_HEADER_BYTES, 40, 52, 56, 64, 108, 124);
    private static final Set<Integer> MASKED = Set.of(3, 6);

    private BmpStructure() {}

    /**
     * Whether bytes begin like a BMP. Many texts begin with BM alone; the reserved words after it should be 0, but
     * some programs use them.
     */
    static boolean begins(ByteBuffer bytes) {
        if (bytes.limit() < 18 || bytes.get(0) != 'B' || bytes.get(1) != 'M') {
            return false;
        }
        return bytes.getInt(6) == 0
                || HEADER_BYTES.contains(
                        bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(14));
    }

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
        return ImageHeader.of(ImageFormat.BMP, width, height, 1);
    }

    /**
     * The alpha of each pixel, which OpenCV does not read, from the top row down; empty if there is none. Where it is 0
     * throughout, it means nothing.
     */
    static Optional<Mat> alpha(ByteBuffer bigEndian, Mats mats) {
        ByteBuffer bmp = bigEndian.order(ByteOrder.LITTLE_ENDIAN);
        int mask = alphaMask(bmp);
        int shift = Integer.numberOfTrailingZeros(mask);
        if (mask == 0 || mask >>> shift != 0xFF) {
            return Optional.empty();
        }
        int width = bmp.getInt(18);
        int stored = bmp.getInt(22);
        int height = Math.abs(stored);
        Mat alpha = mats.own(new Mat(height, width, CvType.CV_8UC1));
        byte[] row = new byte[width];
        int any = 0;
        for (int y = 0; y < height; y++) {
            int from = bmp.getInt(10) + 4 * width * (stored > 0 ? height - 1 - y : y);
            for (int x = 0; x < width; x++) {
                row[x] = (byte) ((bmp.getInt(from + 4 * x) & mask) >>> shift);
                any |= row[x];
            }
            alpha.put(y, 0, row);
        }
        return any == 0 ? Optional.empty() : Optional.of(alpha);
    }

    private static int alphaMask(ByteBuffer bmp) {
        int headerBytes = bmp.getInt(14);
        if (headerBytes == CORE_HEADER_BYTES || bmp.getShort(28) != 32) {
            return 0;
        }
        int compression = bmp.getInt(30);
        if (compression == 0) {
            return UNMASKED_ALPHA;
        }
        return headerBytes >= HEADER_BYTES_WITH_ALPHA && MASKED.contains(compression) ? bmp.getInt(66) : 0;
    }
}
