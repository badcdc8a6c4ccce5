/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Limits the bytes of all images that are fetched but not yet decoded, so that many large images wait at their source
 * rather than in memory.
 *
 * <p><i>Threading notes.</i> May be used from any thread. A reader that knows its size waits once, before it holds
 * anything. A reader that does not know it starts with {@link #FIRST} bytes and may grow once, to the size of the
 * largest image. Readers grow one after the other, and the budget has room for the first shares of all of them plus one
 * largest image. So one of them can always continue.
 */
final class ByteBudget {
    /** What a reader that does not know its size starts with. */
    static final int FIRST = 1 << 20;

    private static final int UNIT = 1024;

    private final int maxBytes;
    private final Semaphore units;
    private final ReentrantLock growing = new ReentrantLock(true);

    ByteBudget(FetchOptions options) {
        this.maxBytes = options.maxBytes();
        long least = (long) options.concurrency() * Math.min(FIRST, maxBytes) + maxBytes + UNIT;
        this.units = new Semaphore(
                (int) Math.min(Integer.MAX_VALUE, Math.max(least, options.maxBufferedBytes()) / UNIT + 1), true);
    }

    /** Waits for {@code bytes}, at most the largest image. */
    Share reserve(long bytes) throws InterruptedException {
        int wanted = units(Math.min(bytes, maxBytes));
        units.acquire(wanted);
        return new Share(wanted);
    }

    private static int units(long bytes) {
        return (int) ((bytes + UNIT - 1) / UNIT);
    }

    /** A part of the budget; closing returns it. */
    final class Share implements AutoCloseable {
        private int held;

        private Share(int held) {
            this.held = held;
        }

        /** Waits until this share covers the largest image. */
        void growToLargest() throws InterruptedException {
            int missing = units(maxBytes) - held;
            if (missing <= 0) {
                return;
            }
            growing.lockInterruptibly();
            try {
                units.acquire(missing);
                held += missing;
            } finally {
                growing.unlock();
            }
        }

        /** Returns what is not needed for {@code bytes}. */
        void shrinkTo(long bytes) {
            int surplus = held - units(bytes);
            if (surplus > 0) {
                units.release(surplus);
                held -= surplus;
            }
        }

        @Override
        public void close() {
            units.release(held);
            held = 0;
        }
    }
}
