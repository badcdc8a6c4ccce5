/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

/**
 * How many images may be fetched from a source at a time: additive increase while the source keeps up, multiplicative
 * decrease when it is overloaded (Chiu and Jain, 1989). It starts at its maximum, because a whole object store is one
 * source, and never falls below one: a source that is down is asked for one image at a time.
 *
 * <p><i>Threading notes.</i> Not thread-safe; guarded by the {@link FetchQueue}.
 */
final class SourceLimit {
    private static final double DECREASE = 0.5;

    private final int max;
    private double limit;
    private long decreasedAt;
    private boolean decreased;

    SourceLimit(int max) {
        this.max = max;
        this.limit = max;
    }

    int current() {
        return (int) limit;
    }

    /** Whether it is below its maximum. */
    boolean reduced() {
        return current() < max;
    }

    /**
     * The source has answered. The limit grows by one after as many answers as the limit, and only while it is reached.
     */
    void answered(int inUse) {
        if (inUse >= current()) {
            limit = Math.min(max, limit + 1 / limit);
        }
    }

    /** The source was overloaded. A fetch that began before the last decrease says nothing new. */
    void overloaded(long begunAt, long now) {
        if (decreased && begunAt - decreasedAt < 0) {
            return;
        }
        limit = Math.max(1, limit * DECREASE);
        decreasedAt = now;
        decreased = true;
    }
}
