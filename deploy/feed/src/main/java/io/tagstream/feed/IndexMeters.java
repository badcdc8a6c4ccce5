/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** The feed's meters. Thread-safe. */
final class IndexMeters {
    private final AtomicLong lag = new AtomicLong();
    private final AtomicLong unsettled = new AtomicLong();
    private final Counter written;
    private final Counter deleted;
    private final Counter unchanged;
    private final Counter rejected;
    private final Counter retries;
    private final Timer latency;

    IndexMeters(MeterRegistry registry) {
        IndexMetric.LAG.gauge(registry, lag, AtomicLong::get);
        IndexMetric.UNSETTLED.gauge(registry, unsettled, AtomicLong::get);
        written = IndexMetric.DOCUMENTS.counter(registry, "written");
        deleted = IndexMetric.DOCUMENTS.counter(registry, "deleted");
        unchanged = IndexMetric.DOCUMENTS.counter(registry, "unchanged");
        rejected = IndexMetric.DOCUMENTS.counter(registry, "rejected");
        retries = IndexMetric.RETRIES.counter(registry);
        latency = IndexMetric.LATENCY.timer(registry);
    }

    void behind(long records, int owed) {
        lag.set(records);
        unsettled.set(owed);
    }

    void written(Write write) {
        (write.isDeletion() ? deleted : written).increment();
        long millis = Duration.between(write.writtenAt(), Instant.now()).toMillis();
        latency.record(Math.max(0, millis), TimeUnit.MILLISECONDS);
    }

    void unchanged() {
        unchanged.increment();
    }

    void rejected() {
        rejected.increment();
    }

    void retried() {
        retries.increment();
    }
}
