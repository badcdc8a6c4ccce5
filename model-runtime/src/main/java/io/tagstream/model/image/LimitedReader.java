/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Reads streams into memory, up to the size of the largest image, and counts them against the byte budget. */
final class LimitedReader {
    private static final int SMALLEST_BUFFER = 16 * 1024;

    private final int maxBytes;
    private final String maxBytesOption;
    private final ByteBudget budget;

    LimitedReader(FetchOptions options) {
        this.maxBytes = options.maxBytes();
        this.maxBytesOption = options.optionNames().maxBytes();
        this.budget = new ByteBudget(options);
    }

    /** Bytes and their share of the budget. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never shared
    record Content(byte[] bytes, ByteBudget.Share share) {}

    /**
     * Reads to the end.
     *
     * @param length the number of bytes, or negative if unknown
     * @param what what messages call the source
     */
    Content read(InputStream in, long length, String what) throws ImageException, IOException, InterruptedException {
        refuseOver(length, what);
        ByteBudget.Share share = budget.reserve(length < 0 ? ByteBudget.FIRST : length);
        boolean read = false;
        try {
            byte[] bytes = length < 0 ? readUnknown(in, share, what) : readKnown(in, (int) length, what);
            share.shrinkTo(bytes.length);
            read = true;
            return new Content(bytes, share);
        } finally {
            if (!read) {
                share.close();
            }
        }
    }

    /** Counts bytes that are in memory already against the budget. */
    Content take(byte[] bytes) throws InterruptedException {
        return new Content(bytes, budget.reserve(bytes.length));
    }

    private static byte[] readKnown(InputStream in, int length, String what) throws ImageException, IOException {
        byte[] bytes = new byte[length];
        int read = in.readNBytes(bytes, 0, length);
        if (read < length) {
            throw new ImageException(
                    FailureReason.FETCH_FAILED, "%s ended after %d of %d bytes".formatted(what, read, length));
        }
        return bytes;
    }

    private byte[] readUnknown(InputStream in, ByteBudget.Share share, String what)
            throws ImageException, IOException, InterruptedException {
        byte[] bytes = new byte[Math.min(SMALLEST_BUFFER, maxBytes + 1)];
        int size = 0;
        while (true) {
            int read = in.read(bytes, size, bytes.length - size);
            if (read < 0) {
                return Arrays.copyOf(bytes, size);
            }
            size += read;
            refuseOver(size, what);
            if (size == bytes.length) {
                long grown = Math.min(2L * size, maxBytes + 1L);
                if (grown > ByteBudget.FIRST) {
                    share.growToLargest();
                }
                bytes = Arrays.copyOf(bytes, (int) grown);
            }
        }
    }

    private void refuseOver(long size, String what) throws ImageException {
        if (size > maxBytes) {
            throw new ImageException(
                    FailureReason.TOO_LARGE,
                    "%s has more than the %d bytes allowed; submit a smaller image or raise %s"
                            .formatted(what, maxBytes, maxBytesOption));
        }
    }
}
