/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.metrics.Metric;
import java.util.List;

/** The metrics of the pipeline. */
public enum PipelineMetric implements Metric {
    ACCEPTED(
            "tagstream.runtime.accepted",
            Type.GAUGE,
            "images",
            "Images that the runtime has accepted but not yet completed, whether they wait or not."),
    IN_FLIGHT(
            "tagstream.runtime.in.flight",
            Type.GAUGE,
            "images",
            "Images that are being fetched, decoded or scored, and so hold bytes or pixels."),
    QUEUE_SIZE(
            "tagstream.runtime.queue.size",
            Type.GAUGE,
            "images",
            "Images that wait for their turn or their source, except those that wait for a retry."),
    QUEUE_AGE(
            "tagstream.runtime.queue.age",
            Type.GAUGE,
            "seconds",
            "How long ago the oldest image that waits for its turn or its source was submitted."),
    LIMITED_SOURCES(
            "tagstream.runtime.sources.limited",
            Type.GAUGE,
            "sources",
            "Hosts that are asked for fewer images at a time than others, because they were overloaded."),
    LONGEST_SOURCE_QUEUE(
            "tagstream.runtime.sources.queue.max",
            Type.GAUGE,
            "images",
            "The largest number of images that wait for a single host."),
    STAGE(
            "tagstream.runtime.stage",
            Type.TIMER,
            "seconds",
            "An image's time in a stage. The stages follow one another: `queue` (for its turn, its source and room),"
                    + " `fetch`, `decode.wait` (for a thread and a pixel buffer), `decode`, `batch.wait` (for its batch to"
                    + " fill and the model to be free), `model` (all of its batch's time in the model).",
            "stage"),
    MODEL(
            "tagstream.runtime.model",
            Type.TIMER,
            "seconds",
            "Time in the model, by step: to `encode` a batch, to `score` it against the labels, or to `rescore` some"
                    + " images from kept features.",
            "step"),
    BATCH_SIZE("tagstream.runtime.batch.size", Type.SUMMARY, "images", "Images per batch."),
    DEVICE_IMAGES(
            "tagstream.runtime.device.images",
            Type.COUNTER,
            "images",
            "Images encoded, by device: `cpu`, `cuda:0`, `tensorrt:1`. With `model.execution.provider=auto`, the device"
                    + " says what was chosen.",
            "device"),
    DEVICE_FAILED(
            "tagstream.runtime.device.failed",
            Type.GAUGE,
            "devices",
            "1 while the device fails and gets no images, otherwise 0.",
            "device"),
    SCORED("tagstream.runtime.scored", Type.COUNTER, "images", "Images scored."),
    REUSED(
            "tagstream.runtime.reused",
            Type.COUNTER,
            "images",
            "Images that were fetched but neither decoded nor encoded, because features of the same bytes were known."),
    RESCORED(
            "tagstream.runtime.rescored",
            Type.COUNTER,
            "images",
            "Images scored again from kept features, without fetching them."),
    RESCORE_WAITING(
            "tagstream.runtime.rescore.waiting",
            Type.GAUGE,
            "images",
            "Images that wait to be scored again from kept features."),
    DECODE_SANDBOXED(
            "tagstream.runtime.decode.sandboxed",
            Type.GAUGE,
            "instances",
            "1 if the processes that decode images are kept from files, the network, programs and other processes; 0 if"
                    + " not."),
    RETRIES(
            "tagstream.runtime.retries",
            Type.COUNTER,
            "attempts",
            "Failed attempts that were retried, by the reason of the failure.",
            "reason"),
    FAILURES(
            "tagstream.runtime.failures",
            Type.COUNTER,
            "images",
            "Images that failed permanently, by the reason of the last failure.",
            "reason");

    @SuppressWarnings("ImmutableEnumChecker") // its list is a copy
    private final Definition definition;

    PipelineMetric(String id, Type type, String unit, String help, String... tags) {
        this.definition = new Definition(id, type, unit, help, List.of(tags));
    }

    /** The values of {@link #STAGE}'s tag. */
    public enum Stage {
        QUEUE("queue"),
        FETCH("fetch"),
        DECODE_WAIT("decode.wait"),
        DECODE("decode"),
        BATCH_WAIT("batch.wait"),
        MODEL("model");

        private final String tag;

        Stage(String tag) {
            this.tag = tag;
        }

        /** The tag's value. */
        public String tag() {
            return tag;
        }
    }

    @Override
    public Definition definition() {
        return definition;
    }
}
