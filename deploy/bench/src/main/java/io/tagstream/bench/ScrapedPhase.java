/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.model.batch.PipelineMetric.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What an instance's metrics say about some stretches of time, added up. Used by one thread. */
final class ScrapedPhase {
    private static final double MILLIS_PER_SECOND = 1000;
    private static final String RUNTIME_STAGE = "tagstream_runtime_stage_seconds";
    private static final String TAGGING_STAGE = "tagstream_tagging_stage_seconds";
    private static final String MODEL = "tagstream_runtime_model_seconds";
    private static final String BATCH = "tagstream_runtime_batch_size_images";

    private final Supplier<Scrape> scrapes;
    private final Map<String, Double> totals = new HashMap<>();
    private Scrape first;

    ScrapedPhase(Supplier<Scrape> scrapes) {
        this.scrapes = scrapes;
    }

    /** An image's mean time in a stage, in milliseconds. */
    record StageMean(String stage, double millis) {}

    void begin() {
        first = scrapes.get();
    }

    void end() {
        Scrape last = scrapes.get();
        for (Stage stage : Stage.values()) {
            add(last, RUNTIME_STAGE, stageLabel(stage.tag()));
        }
        List.of("arrive", "turn", "forward").forEach(stage -> add(last, TAGGING_STAGE, stageLabel(stage)));
        List.of("encode", "score").forEach(step -> add(last, MODEL, "step=\"" + step + "\""));
        add(last, BATCH, "");
    }

    private void add(Scrape last, String metric, String label) {
        for (String part : List.of("_sum", "_count")) {
            double growth = last.sum(metric + part, label).orElse(0)
                    - first.sum(metric + part, label).orElse(0);
            totals.merge(metric + part + label, growth, Double::sum);
        }
    }

    private static String stageLabel(String stage) {
        return "stage=\"" + stage + "\"";
    }

    private double sum(String metric, String label) {
        return totals.getOrDefault(metric + "_sum" + label, 0.0);
    }

    private double mean(String metric, String label) {
        return sum(metric, label) / Math.max(1, totals.getOrDefault(metric + "_count" + label, 0.0));
    }

    /** How many images were scored. */
    long images() {
        return Math.round(sum(BATCH, ""));
    }

    double meanBatchSize() {
        return mean(BATCH, "");
    }

    /** An image's mean time in a stage of the runtime, in milliseconds. */
    double millis(Stage stage) {
        return MILLIS_PER_SECOND * mean(RUNTIME_STAGE, stageLabel(stage.tag()));
    }

    /** An image's share of its batch's time in the model, in milliseconds. */
    double modelMillis() {
        double seconds = sum(MODEL, "step=\"encode\"") + sum(MODEL, "step=\"score\"");
        return MILLIS_PER_SECOND * seconds / Math.max(1, sum(BATCH, ""));
    }

    /** The stages of an image, in order, until its outcome is written. */
    List<StageMean> stages() {
        List<StageMean> stages = new ArrayList<>();
        stages.add(tagging("arrive"));
        stages.add(tagging("turn"));
        for (Stage stage : Stage.values()) {
            stages.add(new StageMean(stage.tag(), millis(stage)));
        }
        stages.add(tagging("forward"));
        return stages;
    }

    private StageMean tagging(String stage) {
        return new StageMean(stage, MILLIS_PER_SECOND * mean(TAGGING_STAGE, stageLabel(stage)));
    }
}
