/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.waits.WaitReason;
import io.tagstream.topology.waits.Waits;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;

/** The meters of all tagging tasks of a process, in a registry. Thread-safe. */
final class TaggingMeters {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Set<Backlog> backlogs = ConcurrentHashMap.newKeySet();
    private final Counter restored;
    private final Counter tagged;
    private final Counter failed;
    private final Counter deleted;
    private final Timer arrive;
    private final Timer turn;
    private final Timer runtime;
    private final Timer forward;
    private final Timer latency;

    private final Counter retagged;
    private final Counter unchanged;
    private final Counter stale;
    private final Counter shadowTags;

    TaggingMeters(
            MeterRegistry registry,
            Vocabulary vocabulary,
            Inflow inflow,
            Map<Integer, SweepStatus> sweeps,
            Waits waits) {
        retagged = TaggingMetric.SWEPT.counter(registry, "changed");
        unchanged = TaggingMetric.SWEPT.counter(registry, "same");
        stale = TaggingMetric.STALE.counter(registry);
        shadowTags = TaggingMetric.SHADOW_TAGS.counter(registry);
        TaggingMetric.SWEEP_LEFT.gauge(registry, sweeps, all -> sum(all, SweepStatus::left));
        TaggingMetric.KNOWN_IMAGES.gauge(registry, sweeps, all -> sum(all, SweepStatus::images));
        TaggingMetric.KEPT_FEATURES.gauge(registry, sweeps, all -> sum(all, SweepStatus::features));
        TaggingMetric.PENDING.gauge(registry, this, TaggingMeters::pending);
        TaggingMetric.PENDING_AGE.gauge(registry, this, TaggingMeters::oldestSeconds);
        TaggingMetric.HELD_PARTITIONS.gauge(registry, inflow, Inflow::held);
        for (WaitReason reason : WaitReason.values()) {
            TaggingMetric.WAITING_PARTITIONS.gauge(registry, waits, all -> all.partitions(reason), reason.name());
        }
        TaggingMetric.BUNDLE_IN_FORCE.gauge(registry, waits, all -> all.ofAll().isEmpty() ? 1 : 0);
        TaggingMetric.LONGEST_WAIT.gauge(registry, waits, Waits::longestSeconds);
        TaggingMetric.VOCABULARY_LABELS.gauge(registry, vocabulary, Vocabulary::size);
        TaggingMetric.WAITING_LABELS.gauge(registry, waits, Waits::waitingLabels);
        TaggingMetric.VOCABULARY_EPOCH.gauge(registry, vocabulary, Vocabulary::epoch);
        restored = TaggingMetric.RESTORED.counter(registry);
        tagged = TaggingMetric.OUTCOMES.counter(registry, "tagged");
        failed = TaggingMetric.OUTCOMES.counter(registry, "failed");
        deleted = TaggingMetric.OUTCOMES.counter(registry, "deleted");
        arrive = TaggingMetric.STAGE.timer(registry, "arrive");
        turn = TaggingMetric.STAGE.timer(registry, "turn");
        runtime = TaggingMetric.STAGE.timer(registry, "runtime");
        forward = TaggingMetric.STAGE.timer(registry, "forward");
        latency = TaggingMetric.LATENCY.timer(registry);
    }

    /** The images that a task owes outcomes for; written by its stream thread. */
    final class Backlog implements AutoCloseable {
        private final AtomicInteger size = new AtomicInteger();
        private volatile long oldestNanos;

        private Backlog() {}

        /** @param oldestNanos when the oldest was accepted, by {@link System#nanoTime}; meaningless if there is none */
        void now(int images, long oldestNanos) {
            this.oldestNanos = oldestNanos;
            size.set(images);
        }

        @Override
        public void close() {
            backlogs.remove(this);
        }
    }

    Backlog backlog() {
        Backlog backlog = new Backlog();
        backlogs.add(backlog);
        return backlog;
    }

    private int pending() {
        return backlogs.stream().mapToInt(backlog -> backlog.size.get()).sum();
    }

    private double oldestSeconds() {
        long now = System.nanoTime();
        return backlogs.stream()
                .filter(backlog -> backlog.size.get() > 0)
                .mapToDouble(backlog -> (now - backlog.oldestNanos) / NANOS_PER_SECOND)
                .max()
                .orElse(0);
    }

    private static double sum(Map<Integer, SweepStatus> sweeps, ToLongFunction<SweepStatus> figure) {
        return sweeps.values().stream().mapToLong(figure).sum();
    }

    /** Counts a known image that was scored again. */
    void swept(boolean changed) {
        (changed ? retagged : unchanged).increment();
    }

    /** Counts a known image that could not be scored again. */
    void stale() {
        stale.increment();
    }

    void shadowTags(int tags) {
        shadowTags.increment(tags);
    }

    void restored(int images) {
        restored.increment(images);
    }

    /** @param millis since the record's timestamp, which its producer chose */
    void accepted(long millis) {
        arrive.record(Math.max(0, millis), TimeUnit.MILLISECONDS);
    }

    void submitted(long nanos) {
        turn.record(nanos, TimeUnit.NANOSECONDS);
    }

    void completed(long nanos) {
        runtime.record(nanos, TimeUnit.NANOSECONDS);
    }

    /** @param millis since the record's timestamp */
    void forwarded(long nanos, long millis) {
        forward.record(nanos, TimeUnit.NANOSECONDS);
        latency.record(Math.max(0, millis), TimeUnit.MILLISECONDS);
    }

    void tagged() {
        tagged.increment();
    }

    void failed() {
        failed.increment();
    }

    void deleted() {
        deleted.increment();
    }
}
