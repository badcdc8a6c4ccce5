/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import java.util.function.LongSupplier;

/**
 * Limits images to an average number per second, with bursts of at most one second's worth.
 *
 * <p><i>Threading notes.</i> Thread-safe.
 */
final class RateLimit {
    private static final double NANOS_PER_SECOND = 1e9;

    private final double perSecond;
    private final LongSupplier nanoTime;
    private double available;
    private long refilledAt;

    /**
     * A limit.
     *
     * @param perSecond 0 for no limit
     */
    RateLimit(double perSecond, LongSupplier nanoTime) {
        this.perSecond = perSecond;
        this.nanoTime = nanoTime;
        this.available = perSecond;
        this.refilledAt = nanoTime.getAsLong();
    }

    /** Takes as many of {@code wanted} as the limit allows now. */
    synchronized int take(int wanted) {
        if (perSecond <= 0) {
            return wanted;
        }
        long now = nanoTime.getAsLong();
        available = Math.min(perSecond, available + (now - refilledAt) / NANOS_PER_SECOND * perSecond);
        refilledAt = now;
        int taken = (int) Math.min(wanted, available);
        available -= taken;
        return taken;
    }
}
