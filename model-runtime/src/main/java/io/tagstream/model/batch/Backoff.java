/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.util.random.RandomGenerator;

/**
 * Exponential backoff with full jitter: each wait is random, between 0 and a bound that doubles with every attempt, so
 * that images that failed together do not come back together (M. Brooker, "Exponential Backoff And Jitter", 2015).
 *
 * <p><i>Threading notes.</i> As thread-safe as its random generator.
 */
final class Backoff {
    private final long firstNanos;
    private final long maxNanos;
    private final RandomGenerator random;

    Backoff(RetryOptions options, RandomGenerator random) {
        this.firstNanos = options.backoff().toNanos();
        this.maxNanos = options.maxBackoff().toNanos();
        this.random = random;
    }

    /** How long to wait after {@code failedAttempts} attempts, 1 or more, in nanoseconds. */
    long nanos(int failedAttempts) {
        long bound = firstNanos;
        for (int i = 1; i < failedAttempts && bound < maxNanos; i++) {
            bound *= 2;
        }
        return random.nextLong(Math.min(bound, maxNanos) + 1);
    }
}
