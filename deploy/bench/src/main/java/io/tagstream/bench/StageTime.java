/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.time.Duration;
import java.util.List;

/**
 * What images spent in a stage, in milliseconds.
 *
 * @param stage its name
 * @param meanMillis over all images; means of stages that follow one another add up
 * @param p50Millis median
 * @param p99Millis 99th percentile
 */
public record StageTime(String stage, double meanMillis, double p50Millis, double p99Millis) {
    private static final double NANOS_PER_MILLI = 1e6;

    static StageTime of(String stage, List<Duration> times) {
        List<Duration> sorted = times.stream().sorted().toList();
        return new StageTime(
                stage,
                sorted.stream().mapToLong(Duration::toNanos).average().orElse(0) / NANOS_PER_MILLI,
                percentile(sorted, 0.5),
                percentile(sorted, 0.99));
    }

    private static double percentile(List<Duration> sorted, double share) {
        if (sorted.isEmpty()) {
            return 0;
        }
        int place = (int) Math.ceil(share * sorted.size()) - 1;
        return sorted.get(Math.max(0, place)).toNanos() / NANOS_PER_MILLI;
    }
}
