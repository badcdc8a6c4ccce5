/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.tagstream.console.api.Status;
import io.tagstream.console.live.FailureView;
import io.tagstream.console.live.TopicFollower;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.batch.PipelineMetric;
import io.tagstream.model.metrics.Metric;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.tagging.TaggingMetric;
import io.tagstream.topology.waits.TaggingHealth;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Reads what an instance is doing from its metrics.
 *
 * <p><i>Threading notes.</i> May be used by any number of threads.
 */
final class StatusSource {
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final long SHORTEST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ShownInstance instance;
    private final FailureView failures;
    private final Optional<SearchIndex> search;
    private final TopicFollower follower;
    private final Status.Features features;
    /** Guarded by this. */
    private final Deque<Look> looks = new ArrayDeque<>();

    /** The counters at one moment. */
    private record Look(long nanos, double outcomes, long batches, double images) {}

    StatusSource(
            ShownInstance instance,
            FailureView failures,
            Optional<SearchIndex> search,
            TopicFollower follower,
            Status.Features features) {
        this.instance = instance;
        this.failures = failures;
        this.search = search;
        this.follower = follower;
        this.features = features;
    }

    Status look() {
        double tagged = outcomes("tagged");
        double failed = outcomes("failed");
        double deleted = outcomes("deleted");
        Look now = new Look(System.nanoTime(), tagged + failed + deleted, batches(), batchedImages());
        Optional<Look> before = remember(now);
        Tagstream tagstream = instance.tagstream();
        ModelDescription model = instance.model();
        Optional<String> notReady = tagstream.notReadyBecause();
        TaggingHealth tagging = tagstream.tagging();
        return new Status(
                new Status.Readiness(
                        notReady.isEmpty(), notReady.orElse(null), tagging.healthy() ? null : tagging.text()),
                new Status.Load(
                        before.map(look -> perSecond(look, now)).orElse(null),
                        gauge(TaggingMetric.PENDING),
                        gauge(PipelineMetric.QUEUE_SIZE),
                        gauge(PipelineMetric.IN_FLIGHT),
                        before.filter(look -> look.batches() < now.batches())
                                .map(look -> (now.images() - look.images()) / (now.batches() - look.batches()))
                                .orElse(null)),
                new Status.Outcomes((long) tagged, (long) failed, (long) deleted, failures.byReason()),
                new Status.Vocabulary(tagstream.vocabularyEpoch(), tagstream.vocabularySize()),
                new Status.Model(model.id(), model.version()),
                search.map(index -> new Status.Search(index.size(), follower.behind()))
                        .orElse(null),
                features);
    }

    private static double perSecond(Look before, Look now) {
        return (now.outcomes() - before.outcomes()) * TimeUnit.SECONDS.toNanos(1) / (now.nanos() - before.nanos());
    }

    /** The oldest look within the window, if it was long enough ago. */
    private synchronized Optional<Look> remember(Look now) {
        while (looks.size() > 1 && now.nanos() - looks.peek().nanos() > WINDOW_NANOS) {
            looks.remove();
        }
        if (looks.isEmpty() || now.nanos() - looks.getLast().nanos() > SHORTEST_NANOS) {
            looks.add(now);
        }
        return Optional.of(looks.peek()).filter(oldest -> now.nanos() - oldest.nanos() >= SHORTEST_NANOS);
    }

    private double outcomes(String outcome) {
        return instance.metrics().find(TaggingMetric.OUTCOMES.id()).tag("outcome", outcome).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private long batches() {
        return instance.metrics().find(PipelineMetric.BATCH_SIZE.id()).summaries().stream()
                .mapToLong(DistributionSummary::count)
                .sum();
    }

    private double batchedImages() {
        return instance.metrics().find(PipelineMetric.BATCH_SIZE.id()).summaries().stream()
                .mapToDouble(DistributionSummary::totalAmount)
                .sum();
    }

    private long gauge(Metric metric) {
        return (long) instance.metrics().find(metric.id()).gauges().stream()
                .mapToDouble(Gauge::value)
                .filter(Double::isFinite)
                .sum();
    }
}
