/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What {@link RetagBenchmark} measured.
 *
 * @param images number of known images
 * @param photos number of different photos among them
 * @param labels size of the vocabulary
 * @param anew images that are read, decoded and encoded, the pipeline saturated
 * @param retag known images that follow one new label, from producing it to the last committed event
 * @param changed events of images whose tags changed, over all sweeps
 * @param checked images compared with tagging them anew
 * @param load uploads per second, for the following figures
 * @param uploads from an upload to its committed event, without a sweep
 * @param sweptUploads the same during sweeps
 * @param sweepShare share of that time during which a sweep was under way
 * @param arrival from producing a label to the first committed event that carries it
 * @param arrivals number of labels produced for that
 * @param kept what is stored for an image
 * @param rssMib peak resident memory, in MiB, if the system reports it
 */
public record RetagResult(
        long images,
        int photos,
        int labels,
        Speed anew,
        Speed retag,
        long changed,
        long checked,
        double load,
        StageTime uploads,
        StageTime sweptUploads,
        double sweepShare,
        StageTime arrival,
        int arrivals,
        Kept kept,
        OptionalLong rssMib) {
    private static final double BYTES_PER_MIB = 1 << 20;

    /**
     * What is stored for an image, in bytes, and the cost of writing and restoring it.
     *
     * @param metaStore in the image-meta store, on disk
     * @param featuresStore in the image-features store, on disk
     * @param metaTopic in the changelog of the former
     * @param featuresTopic in the changelog of the latter
     * @param anewWritten written to Kafka for an image that is tagged, all topics together
     * @param retagWritten written to Kafka for an image that follows a label, all topics together
     * @param restoreSeconds seconds until images are tagged again after a start without local state, with the model
     *     already loaded
     */
    public record Kept(
            double metaStore,
            double featuresStore,
            double metaTopic,
            double featuresTopic,
            double anewWritten,
            double retagWritten,
            double restoreSeconds) {}

    /** The speed of following as a multiple of the speed of tagging anew. */
    public double ratio() {
        return retag.imagesPerSecond() / anew.imagesPerSecond();
    }

    /** How many times longer uploads take during sweeps, at the 99th percentile. */
    public double growth() {
        return sweptUploads.p99Millis() / uploads.p99Millis();
    }

    /** One JSON object on one line. */
    public ObjectNode json() {
        ObjectNode json = new ObjectMapper()
                .createObjectNode()
                .put("images", images)
                .put("photos", photos)
                .put("labels", labels)
                .put("anewImagesPerSecond", rounded(anew.imagesPerSecond()))
                .put("retagImagesPerSecond", rounded(retag.imagesPerSecond()))
                .put("ratio", rounded(ratio()))
                .put("anewCpuMillisPerImage", rounded(anew.cpuMillisPerImage()))
                .put("retagCpuMillisPerImage", rounded(retag.cpuMillisPerImage()))
                .put("changedImages", changed)
                .put("checkedImages", checked)
                .put("uploadsPerSecond", rounded(load))
                .put("uploadP50Millis", rounded(uploads.p50Millis()))
                .put("uploadP99Millis", rounded(uploads.p99Millis()))
                .put("sweptUploadP50Millis", rounded(sweptUploads.p50Millis()))
                .put("sweptUploadP99Millis", rounded(sweptUploads.p99Millis()))
                .put("p99Growth", rounded(growth()))
                .put("sweepShare", rounded(sweepShare))
                .put("labelsProduced", arrivals)
                .put("labelP50Millis", rounded(arrival.p50Millis()))
                .put("labelP99Millis", rounded(arrival.p99Millis()))
                .put("metaStoreBytes", Math.round(kept.metaStore()))
                .put("featuresStoreBytes", Math.round(kept.featuresStore()))
                .put("metaTopicBytes", Math.round(kept.metaTopic()))
                .put("featuresTopicBytes", Math.round(kept.featuresTopic()))
                .put("anewWrittenBytes", Math.round(kept.anewWritten()))
                .put("retagWrittenBytes", Math.round(kept.retagWritten()))
                .put("anewMiBPerSecond", rounded(mibPerSecond(kept.anewWritten(), anew)))
                .put("retagMiBPerSecond", rounded(mibPerSecond(kept.retagWritten(), retag)))
                .put("restoreSeconds", rounded(kept.restoreSeconds()));
        if (rssMib.isPresent()) {
            json.put("rssMiB", rssMib.getAsLong());
        } else {
            json.putNull("rssMiB");
        }
        return json;
    }

    /** Several lines for people. */
    public String text() {
        return String.join(
                System.lineSeparator(),
                format(
                        "new        %7.1f images/s, %.1f ms of processor time per image; %,d labels",
                        anew.imagesPerSecond(), anew.cpuMillisPerImage(), labels),
                format(
                        "retag      %7.1f images/s, %.1f ms of processor time per image; ratio %.1f",
                        retag.imagesPerSecond(), retag.cpuMillisPerImage(), ratio()),
                format(
                        "uploads    p50 %.0f ms, p99 %.0f ms, at %.1f images/s",
                        uploads.p50Millis(), uploads.p99Millis(), load),
                format(
                        "           p50 %.0f ms, p99 %.0f ms while known images follow, %.0f %% of the time; ratio %.2f",
                        sweptUploads.p50Millis(), sweptUploads.p99Millis(), 100 * sweepShare, growth()),
                format(
                        "a label    p50 %.0f ms, p99 %.0f ms until the first event carries it; %d labels, at that rate",
                        arrival.p50Millis(), arrival.p99Millis(), arrivals),
                format(
                        "per image  %,.0f bytes in image-meta, %,.0f in image-features; %,.0f and %,.0f in their changelogs",
                        kept.metaStore(), kept.featuresStore(), kept.metaTopic(), kept.featuresTopic()),
                format(
                        "           %,.0f bytes written to Kafka to tag it, %,.0f to make it follow: %.1f and %.1f MiB/s",
                        kept.anewWritten(),
                        kept.retagWritten(),
                        mibPerSecond(kept.anewWritten(), anew),
                        mibPerSecond(kept.retagWritten(), retag)),
                format("restore    %.1f s for %,d images", kept.restoreSeconds(), images),
                "memory     peak resident "
                        + (rssMib.isPresent() ? rssMib.getAsLong() + " MiB" : "not reported by this system")
                        + ", Kafka included",
                format("same work  %,d images followed as if they were new, with %,d events", checked, changed));
    }

    private static double mibPerSecond(double bytes, Speed speed) {
        return bytes * speed.imagesPerSecond() / BYTES_PER_MIB;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
