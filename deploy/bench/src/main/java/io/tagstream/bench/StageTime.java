/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

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

    /** @param timer timer with the median and 99th percentile */
    static StageTime of(String stage, Timer timer) {
        HistogramSnapshot snapshot = timer.takeSnapshot();
        return new StageTime(
                stage,
                timer.mean(TimeUnit.MILLISECONDS),
                percentile(snapshot, Phase.MEDIAN),
                percentile(snapshot, Phase.HIGH));
    }

    private static double percentile(HistogramSnapshot snapshot, double percentile) {
        return Arrays.stream(snapshot.percentileValues())
                .filter(value -> value.percentile() == percentile)
                .mapToDouble((ValueAtPercentile value) -> value.value(TimeUnit.MILLISECONDS))
                .findFirst()
                .orElseThrow();
    }

    private static double percentile(List<Duration> sorted, double share) {
        if (sorted.isEmpty()) {
            return 0;
        }
        int place = (int) Math.ceil(share * sorted.size()) - 1;
        return sorted.get(Math.max(0, place)).toNanos() / NANOS_PER_MILLI;
    }
}
