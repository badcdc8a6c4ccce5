/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/**
 * What {@link VocabularyBenchmark} measured for a vocabulary.
 *
 * @param labels its size
 * @param selection which labels an image is decoded against
 * @param speed of the whole pipeline, saturated; the processor time is the instance's
 * @param photos number of different photos whose tags were compared with those from decoding all labels
 * @param tags number of tags that these photos got in either way
 * @param commonTags number of tags that they got in both ways
 * @param encodingSeconds from the start of an instance that encodes the labels until it tags images
 * @param startSeconds the same for an instance that reads their vectors
 * @param startCpuSeconds the latter's processor time until then
 * @param readyMib the latter's peak resident memory, in MiB, by the time it began to tag images; 0 if the system does
 *     not report it
 * @param peakMib its peak resident memory at the end, in MiB; 0 if the system does not report it
 */
public record VocabularyResult(
        int labels,
        String selection,
        Speed speed,
        int photos,
        long tags,
        long commonTags,
        double encodingSeconds,
        double startSeconds,
        double startCpuSeconds,
        long readyMib,
        long peakMib) {
    /** Tags got in both ways as a share of those got in either. */
    public double agreement() {
        return tags == 0 ? 1 : (double) commonTags / tags;
    }

    /**
     * A JSON object.
     *
     * @param first the result to compare it with
     */
    public ObjectNode json(VocabularyResult first) {
        return new ObjectMapper()
                .createObjectNode()
                .put("labels", labels)
                .put("selection", selection)
                .put("imagesPerSecond", rounded(speed.imagesPerSecond()))
                .put("shareOfFirst", rounded(share(first)))
                .put("cpuMillisPerImage", rounded(speed.cpuMillisPerImage()))
                .put("agreement", rounded(agreement()))
                .put("agreementTags", tags)
                .put("agreementPhotos", photos)
                .put("encodingSeconds", rounded(encodingSeconds))
                .put("startSeconds", rounded(startSeconds))
                .put("startCpuSeconds", rounded(startCpuSeconds))
                .put("readyRssMiB", readyMib)
                .put("rssMiB", peakMib);
    }

    /**
     * Some lines for people.
     *
     * @param first what it is compared with
     */
    public String text(VocabularyResult first) {
        return String.format(
                Locale.ROOT,
                "%,d labels (%s): %.1f images/s, ratio to the first %.2f; %.1f ms of processor time per image%n"
                        + "    tags agree with decoding all labels: %.2f %%, %,d tags of %d photos%n"
                        + "    started in %.1f s from stored vectors (%.1f s of processor time), in %.1f s with encoding%n"
                        + "    peak resident %d MiB when started, %d MiB in the end",
                labels,
                selection,
                speed.imagesPerSecond(),
                share(first),
                speed.cpuMillisPerImage(),
                100 * agreement(),
                tags,
                photos,
                startSeconds,
                startCpuSeconds,
                encodingSeconds,
                readyMib,
                peakMib);
    }

    private double share(VocabularyResult first) {
        return speed.imagesPerSecond() / first.speed.imagesPerSecond();
    }

    private static double rounded(double value) {
        return Math.round(value * 10_000) / 10_000.0;
    }
}
