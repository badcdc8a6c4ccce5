/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.batch.PipelineMetric;
import io.tagstream.model.batch.PipelineMetric.Stage;
import io.tagstream.topology.tagging.TaggingMetric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The pipeline's own metrics for a phase of a benchmark: for the time between {@link #begin} and {@link #end}, or for
 * several such times together.
 */
final class Phase {
    static final double MEDIAN = 0.5;
    static final double HIGH = 0.99;
    private static final Duration FOR_EVER = Duration.ofDays(1);

    private final CompositeMeterRegistry metrics;
    private final SimpleMeterRegistry measured = new SimpleMeterRegistry();

    /** @param metrics the pipeline's */
    Phase(CompositeMeterRegistry metrics) {
        this.metrics = metrics;
        measured.config().meterFilter(new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                return DistributionStatisticConfig.builder()
                        .percentiles(MEDIAN, HIGH)
                        .percentilePrecision(2)
                        .expiry(FOR_EVER)
                        .bufferLength(1)
                        .build()
                        .merge(config);
            }
        });
    }

    void begin() {
        metrics.add(measured);
    }

    void end() {
        metrics.remove(measured);
    }

    double meanBatchSize() {
        return batches().mean();
    }

    /** An image's mean time in a stage, in milliseconds. */
    double millis(Stage stage) {
        return stage(stage).mean(TimeUnit.MILLISECONDS);
    }

    /** An image's share of its batch's time in the model, in milliseconds. */
    double modelMillis() {
        double all = 0;
        for (String step : List.of("encode", "score")) {
            all += measured.get(PipelineMetric.MODEL.id())
                    .tag("step", step)
                    .timer()
                    .totalTime(TimeUnit.MILLISECONDS);
        }
        return all / batches().totalAmount();
    }

    /** The stages of an image, in order, until its outcome is written. */
    List<StageTime> stages() {
        List<StageTime> stages = new ArrayList<>();
        stages.add(tagging("arrive"));
        stages.add(tagging("turn"));
        for (Stage stage : Stage.values()) {
            stages.add(StageTime.of(stage.tag(), stage(stage)));
        }
        stages.add(tagging("forward"));
        return stages;
    }

    private StageTime tagging(String stage) {
        return StageTime.of(
                stage,
                measured.get(TaggingMetric.STAGE.id()).tag("stage", stage).timer());
    }

    private Timer stage(Stage stage) {
        return measured.get(PipelineMetric.STAGE.id()).tag("stage", stage.tag()).timer();
    }

    private DistributionSummary batches() {
        return measured.get(PipelineMetric.BATCH_SIZE.id()).summary();
    }
}
