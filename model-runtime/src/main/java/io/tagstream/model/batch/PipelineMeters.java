/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tagstream.model.FailureReason;
import io.tagstream.model.batch.PipelineMetric.Stage;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A pipeline's meters in a registry. Thread-safe. */
final class PipelineMeters {
    private final Map<Stage, Timer> stages = new EnumMap<>(Stage.class);
    private final Map<FailureReason, Counter> retries;
    private final Map<FailureReason, Counter> failures;
    private final Timer encode;
    private final Timer score;
    private final Timer rescore;
    private final DistributionSummary batchSize;
    private final Counter scored;
    private final Counter reused;
    private final Counter rescored;

    PipelineMeters(MeterRegistry registry) {
        for (Stage stage : Stage.values()) {
            stages.put(stage, PipelineMetric.STAGE.timer(registry, stage.tag()));
        }
        retries = byReason(reason -> PipelineMetric.RETRIES.counter(registry, reason.name()));
        failures = byReason(reason -> PipelineMetric.FAILURES.counter(registry, reason.name()));
        encode = PipelineMetric.MODEL.timer(registry, "encode");
        score = PipelineMetric.MODEL.timer(registry, "score");
        rescore = PipelineMetric.MODEL.timer(registry, "rescore");
        batchSize = PipelineMetric.BATCH_SIZE.summary(registry);
        scored = PipelineMetric.SCORED.counter(registry);
        reused = PipelineMetric.REUSED.counter(registry);
        rescored = PipelineMetric.RESCORED.counter(registry);
    }

    private static Map<FailureReason, Counter> byReason(Function<FailureReason, Counter> counter) {
        Map<FailureReason, Counter> counters = new EnumMap<>(FailureReason.class);
        for (FailureReason reason : FailureReason.values()) {
            counters.put(reason, counter.apply(reason));
        }
        return counters;
    }

    void stage(Stage stage, long nanos) {
        stages.get(stage).record(nanos, TimeUnit.NANOSECONDS);
    }

    void encoded(int images, long nanos) {
        batchSize.record(images);
        encode.record(nanos, TimeUnit.NANOSECONDS);
    }

    void scored(long nanos) {
        score.record(nanos, TimeUnit.NANOSECONDS);
    }

    void rescored(int images, long nanos) {
        rescored.increment(images);
        rescore.record(nanos, TimeUnit.NANOSECONDS);
    }

    void reused() {
        reused.increment();
    }

    void succeeded() {
        scored.increment();
    }

    void retried(FailureReason reason) {
        retries.get(reason).increment();
    }

    void failed(FailureReason reason) {
        failures.get(reason).increment();
    }
}
