/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.model.metrics.Metric;
import java.util.List;

/** What the tagging topology measures. */
public enum TaggingMetric implements Metric {
    PENDING(
            "tagstream.tagging.pending",
            Type.GAUGE,
            "images",
            "Accepted images that owe their outcome, all partitions of this instance together."),
    PENDING_AGE(
            "tagstream.tagging.pending.age",
            Type.GAUGE,
            "seconds",
            "How long ago the oldest of the images that owe their outcome was accepted, or taken up after a restart."),
    HELD_PARTITIONS(
            "tagstream.tagging.held",
            Type.GAUGE,
            "partitions",
            "Input partitions that are not read on for now, because as many of their images owe their outcome as may."),
    WAITING_PARTITIONS(
            "tagstream.tagging.waiting",
            Type.GAUGE,
            "partitions",
            "Partitions whose images wait because this instance has an older vocabulary than they were tagged under, or a"
                    + " bundle that may not follow theirs (`model.switch`); `/health/ready` says which."),
    RESTORED(
            "tagstream.tagging.pending.restored",
            Type.COUNTER,
            "images",
            "Images that owed their outcome when this instance took their partition over."),
    OUTCOMES(
            "tagstream.tagging.outcomes",
            Type.COUNTER,
            "images",
            "Outcomes written: `tagged`, `failed` or `deleted`. Those of an aborted transaction are written, and counted,"
                    + " again.",
            "outcome"),
    STAGE(
            "tagstream.tagging.stage",
            Type.TIMER,
            "seconds",
            "An image's time in a stage. The stages follow one another: `arrive` (from the timestamp of its record in the"
                    + " images topic until it is accepted), `turn` (until it is submitted to the model runtime), `runtime`"
                    + " (until the runtime has completed it, see `tagstream.runtime.stage`), `forward` (until its outcome is"
                    + " written). The commit follows.",
            "stage"),
    LATENCY(
            "tagstream.tagging.latency",
            Type.TIMER,
            "seconds",
            "From the timestamp of an image's record in the images topic until its outcome is written."),
    SWEPT(
            "tagstream.sweep.images",
            Type.COUNTER,
            "images",
            "Known images that were scored again because vocabulary or model changed: `changed` where their tags did,"
                    + " `same` where they did not.",
            "tags"),
    STALE(
            "tagstream.sweep.stale",
            Type.COUNTER,
            "images",
            "Known images that could not be brought up to date, because they could not be read again. They keep their tags"
                    + " until the next change."),
    SWEEP_LEFT(
            "tagstream.sweep.left",
            Type.GAUGE,
            "images",
            "Known images that have yet to follow the vocabulary, all partitions of this instance together."),
    KNOWN_IMAGES(
            "tagstream.known.images",
            Type.GAUGE,
            "images",
            "Tagged images of this instance's partitions: those that follow the vocabulary."),
    KEPT_FEATURES(
            "tagstream.known.features",
            Type.GAUGE,
            "images",
            "Of these, images that can be scored again without being read."),
    SHADOW_TAGS(
            "tagstream.shadow.tags",
            Type.COUNTER,
            "tags",
            "Tags of shadow labels on images just read: what would have been emitted if the labels were active."),
    VOCABULARY_EPOCH(
            "tagstream.vocabulary.epoch",
            Type.GAUGE,
            "offset",
            "The vocabulary's epoch on this instance; -1 for none.");

    @SuppressWarnings("ImmutableEnumChecker") // its list is a copy
    private final Definition definition;

    TaggingMetric(String id, Type type, String unit, String help, String... tags) {
        this.definition = new Definition(id, type, unit, help, List.of(tags));
    }

    @Override
    public Definition definition() {
        return definition;
    }
}
