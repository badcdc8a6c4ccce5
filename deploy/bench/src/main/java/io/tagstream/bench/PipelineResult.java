/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.bench.ScrapedPhase.StageMean;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What {@link PipelineBenchmark} measured.
 *
 * @param raw the bare loop
 * @param pipeline the saturated pipeline: the instance with its decoders
 * @param brokerMillis the broker's processor time per image, saturated
 * @param latency from a reference to its committed tag event, at half the pipeline's speed
 * @param stages the parts of the mean latency, in order
 * @param batchSizeMean images per batch, saturated
 * @param fetchMillis an image's time on a fetch thread, saturated
 * @param decodeMillis an image's time on a decode thread, saturated
 * @param modelMillis an image's share of its batch's time in the model, saturated
 * @param modelBusy the share of the time that the model was busy, saturated
 * @param rssMib peak resident memory of the instance and its decoders, in MiB; 0 if the system does not report it
 * @param checked tag events compared with the bare loop's scores
 * @param largestDifference the largest difference found
 */
public record PipelineResult(
        Speed raw,
        Speed pipeline,
        double brokerMillis,
        StageTime latency,
        List<StageMean> stages,
        double batchSizeMean,
        double fetchMillis,
        double decodeMillis,
        double modelMillis,
        double modelBusy,
        long rssMib,
        long checked,
        double largestDifference) {
    /** The pipeline's speed as a share of the bare loop's. */
    public double ratio() {
        return pipeline.imagesPerSecond() / raw.imagesPerSecond();
    }

    /** One JSON object on one line. */
    public ObjectNode json() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("rawImagesPerSecond", rounded(raw.imagesPerSecond()))
                .put("pipelineImagesPerSecond", rounded(pipeline.imagesPerSecond()))
                .put("ratio", rounded(ratio()))
                .put("p50Millis", rounded(latency.p50Millis()))
                .put("p99Millis", rounded(latency.p99Millis()))
                .put("meanMillis", rounded(latency.meanMillis()))
                .put("batchSizeMean", rounded(batchSizeMean));
        if (rssMib > 0) {
            json.put("rssMiB", rssMib);
        } else {
            json.putNull("rssMiB");
        }
        json.put("rawCpuMillisPerImage", rounded(raw.cpuMillisPerImage()))
                .put("pipelineCpuMillisPerImage", rounded(pipeline.cpuMillisPerImage()))
                .put("brokerCpuMillisPerImage", rounded(brokerMillis))
                .put("fetchMillis", rounded(fetchMillis))
                .put("decodeMillis", rounded(decodeMillis))
                .put("modelMillis", rounded(modelMillis))
                .put("modelBusy", rounded(modelBusy))
                .put("checkedImages", checked);
        ArrayNode parts = json.putArray("latencyStages");
        for (StageMean stage : stages) {
            parts.addObject().put("stage", stage.stage()).put("meanMillis", rounded(stage.millis()));
        }
        return json;
    }

    /** Several lines for people. */
    public String text() {
        String memory = rssMib > 0 ? rssMib + " MiB" : "not reported by this system";
        return String.join(
                System.lineSeparator(),
                format(
                        "bare loop  %7.1f images/s, %.1f ms of processor time per image",
                        raw.imagesPerSecond(), raw.cpuMillisPerImage()),
                format(
                        "pipeline   %7.1f images/s, %.1f ms of processor time per image; ratio %.2f",
                        pipeline.imagesPerSecond(), pipeline.cpuMillisPerImage(), ratio()),
                format("           and %.1f ms of the broker's per image", brokerMillis),
                format(
                        "           model busy %.0f %% of the time, mean batch %.1f images",
                        100 * modelBusy, batchSizeMean),
                format(
                        "           per image: fetch %.1f ms, decode %.1f ms, model %.1f ms",
                        fetchMillis, decodeMillis, modelMillis),
                format(
                        "latency    p50 %.0f ms, p99 %.0f ms, mean %.0f ms, at half the pipeline's speed",
                        latency.p50Millis(), latency.p99Millis(), latency.meanMillis()),
                stages.stream()
                        .map(stage -> format("           %-12s mean %5.1f ms", stage.stage(), stage.millis()))
                        .collect(Collectors.joining(System.lineSeparator())),
                "memory     peak resident " + memory,
                format(
                        "same work  the scores of %d tag events equal the bare loop's within %.1e",
                        checked, largestDifference));
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
