/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.time.Duration;

/**
 * How often and how long to try an image if its failure may pass.
 *
 * @param maxAttempts the most attempts for an image, including the first; 1 for no retries
 * @param backoff the longest wait before the second attempt; it doubles with every further attempt
 * @param maxBackoff the longest wait before any attempt
 * @param deadline how long to try an image, from the start of its first attempt: no attempt begins and no fetch
 *     continues after it. Images that wait for a source are also given up once the source has answered nobody for this
 *     long
 */
public record RetryOptions(int maxAttempts, Duration backoff, Duration maxBackoff, Duration deadline) {
    /** 5 attempts, 500 ms doubling up to 30 s, within 2 minutes. */
    public static final RetryOptions DEFAULT =
            new RetryOptions(5, Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofMinutes(2));

    public RetryOptions {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("maxAttempts must be above 0, not " + maxAttempts);
        }
        if (backoff.isNegative() || maxBackoff.isNegative()) {
            throw new IllegalArgumentException(
                    "backoff and maxBackoff must be 0 or more, not %s and %s".formatted(backoff, maxBackoff));
        }
        if (deadline.isNegative() || deadline.isZero()) {
            throw new IllegalArgumentException("deadline must be above 0, not " + deadline);
        }
    }
}
