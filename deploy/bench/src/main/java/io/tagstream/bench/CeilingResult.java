/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@link CeilingBenchmark} measured in one setting.
 *
 * @param setting what the instance was started with
 * @param place where images came from
 * @param speed of the instance, with its decoders
 * @param brokerMillis the broker's processor time per image
 * @param graphMillis the graphs' own processor time per image, in a bare loop
 * @param featureBytes the size of an image's features
 * @param meanBatch images per batch
 * @param millis processor time per image by stage
 * @param busiest the thread with the most processor time
 * @param busiestMillis that thread's processor time per image
 */
record CeilingResult(
        CeilingSetting setting,
        CeilingImages.Place place,
        Speed speed,
        double brokerMillis,
        double graphMillis,
        int featureBytes,
        double meanBatch,
        Map<CeilingStage, Double> millis,
        String busiest,
        double busiestMillis) {
    CeilingResult {
        millis = new EnumMap<>(millis);
    }

    /** Processor time per image without fetching and decoding. */
    double hostMillis() {
        return millis.entrySet().stream()
                .filter(stage -> !stage.getKey().getsPixels())
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    ObjectNode json() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("shape", setting.shape().toString())
                .put("tokens", setting.tokens().name().toLowerCase(Locale.ROOT))
                .put("features", setting.features())
                .put("threads", setting.threads())
                .put("source", place.toString())
                .put("imagesPerSecond", rounded(speed.imagesPerSecond()))
                .put("images", speed.images())
                .put("cpuMillisPerImage", rounded(speed.cpuMillisPerImage()))
                .put("hostCpuMillisPerImage", rounded(hostMillis()))
                .put("busiestThread", busiest)
                .put("busiestThreadMillisPerImage", rounded(busiestMillis))
                .put("graphMillisPerImage", rounded(graphMillis))
                .put("brokerCpuMillisPerImage", rounded(brokerMillis))
                .put("featureBytes", featureBytes)
                .put("batchSizeMean", rounded(meanBatch));
        ObjectNode stages = json.putObject("stages");
        millis.forEach((stage, time) -> stages.put(stage.toString(), rounded(time)));
        return json;
    }

    String text() {
        return String.join(
                System.lineSeparator(),
                format("%s, from %s", setting, place),
                format(
                        "    %.1f images/s; %.2f ms of processor time per image, and %.2f ms of the broker's",
                        speed.imagesPerSecond(), speed.cpuMillisPerImage(), brokerMillis),
                format(
                        "    without fetch and decode %.2f ms; the busiest thread %.2f ms: %s",
                        hostMillis(), busiestMillis, busiest),
                format(
                        "    the graphs alone %.2f ms; features of %,d bytes; mean batch %.1f images",
                        graphMillis, featureBytes, meanBatch),
                "    "
                        + millis.entrySet().stream()
                                .map(stage -> format("%s %.2f", stage.getKey(), stage.getValue()))
                                .collect(Collectors.joining(", ")));
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
