/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private static final RetryOptions OPTIONS =
            new RetryOptions(9, Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofMinutes(10));

    @Test
    void shouldDoubleItsBoundUpToTheMaximum() {
        RandomGenerator highest = new RandomGenerator() {
            @Override
            public long nextLong() {
                throw new AssertionError("only bounded numbers are drawn");
            }

            @Override
            public long nextLong(long bound) {
                return bound - 1;
            }
        };
        Backoff backoff = new Backoff(OPTIONS, highest);
        List<Long> millis = new ArrayList<>();
        for (int failed = 1; failed <= 8; failed++) {
            millis.add(Duration.ofNanos(backoff.nanos(failed)).toMillis());
        }
        assertThat(millis).containsExactly(500L, 1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 30_000L, 30_000L);
    }

    @Test
    void shouldSpreadItsWaitsOverTheWholeRange() {
        Backoff backoff = new Backoff(OPTIONS, new Random(7));
        int[] quarters = new int[4];
        for (int i = 0; i < 1_000; i++) {
            long nanos = backoff.nanos(2);
            assertThat(nanos).isBetween(0L, Duration.ofSeconds(1).toNanos());
            quarters[(int) Math.min(3, nanos / Duration.ofMillis(250).toNanos())]++;
        }
        for (int waits : quarters) {
            assertThat(waits).isBetween(200, 300);
        }
    }

    @Test
    void shouldNotWaitAtAllWhenToldSo() {
        RetryOptions atOnce = new RetryOptions(3, Duration.ZERO, Duration.ZERO, Duration.ofMinutes(1));
        assertThat(new Backoff(atOnce, new Random(7)).nanos(2)).isZero();
    }
}
