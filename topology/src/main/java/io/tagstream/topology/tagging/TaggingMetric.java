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
            "Accepted images that await their outcome, over all partitions of this instance."),
    PENDING_AGE(
            "tagstream.tagging.pending.age",
            Type.GAUGE,
            "seconds",
            "How long ago the oldest image that awaits its outcome was accepted, or taken up after a restart."),
    HELD_PARTITIONS(
            "tagstream.tagging.held",
            Type.GAUGE,
            "partitions",
            "Input partitions that are held back for now, because too many of their images await their outcome"
                    + " (`task.pending.max`, `task.pending.max.bytes`)."),
    WAITING_PARTITIONS(
            "tagstream.tagging.waiting",
            Type.GAUGE,
            "partitions",
            "Partitions whose images have waited for longer than `health.tagging.after.ms` without any coming out, or would"
                    + " wait, by reason ([this table](operations.md#when-images-wait) says what to do about each);"
                    + " `/health/tagging` says which.",
            "reason"),
    BUNDLE_IN_FORCE(
            "tagstream.bundle.in.force",
            Type.GAUGE,
            "instances",
            "1 if this instance's bundle is the one in force; 0 while another one is, and this instance takes no"
                    + " partitions."),
    LONGEST_WAIT(
            "tagstream.tagging.silence",
            Type.GAUGE,
            "seconds",
            "The longest time that images of a partition have now waited without any coming out; 0 while none waits."),
    COPIES(
            "tagstream.standby.copies",
            Type.GAUGE,
            "partitions",
            "Partitions of other instances whose state this instance copies: `complete`, or `behind`, until the copy has"
                    + " reached the ends of its changelogs ([what for](operations.md#restarting-instances-one-after-the-other)).",
            "state"),
    COPIES_LAG(
            "tagstream.standby.lag",
            Type.GAUGE,
            "records",
            "Records of changelogs that these copies have yet to read, as far as that is known."),
    UNCOPIED(
            "tagstream.standby.missing",
            Type.GAUGE,
            "partitions",
            "Partitions of this instance that no other instance copies although `standby.replicas` is positive. Known"
                    + " only if `http.port` or `kafka.application.server` is set."),
    RESTORED(
            "tagstream.tagging.pending.restored",
            Type.COUNTER,
            "images",
            "Images that awaited their outcome when this instance took over their partition."),
    OUTCOMES(
            "tagstream.tagging.outcomes",
            Type.COUNTER,
            "images",
            "Outcomes written: `tagged`, `failed` or `deleted`. Outcomes of an aborted transaction are written and"
                    + " counted again.",
            "outcome"),
    STAGE(
            "tagstream.tagging.stage",
            Type.TIMER,
            "seconds",
            "Time that an image spends in a stage. The stages follow one another: `arrive` (from the timestamp of its"
                    + " record in the images topic until it is accepted), `turn` (until it is submitted to the model"
                    + " runtime), `runtime` (until the runtime has completed it, see `tagstream.runtime.stage`),"
                    + " `forward` (until its outcome is written). The commit follows.",
            "stage"),
    LATENCY(
            "tagstream.tagging.latency",
            Type.TIMER,
            "seconds",
            "Time from the timestamp of an image's record in the images topic until its outcome is written."),
    SWEPT(
            "tagstream.sweep.images",
            Type.COUNTER,
            "images",
            "Known images that were scored again because the vocabulary or the model changed: `changed` if their tags"
                    + " changed, `same` if not.",
            "tags"),
    STALE(
            "tagstream.sweep.stale",
            Type.COUNTER,
            "images",
            "Known images that could not be brought up to date, because they could not be read again or their new tags"
                    + " do not fit into a record. They keep their tags until the next change."),
    SWEEP_LEFT(
            "tagstream.sweep.left",
            Type.GAUGE,
            "images",
            "Known images that have yet to follow the vocabulary, over all partitions of this instance."),
    KNOWN_IMAGES(
            "tagstream.known.images",
            Type.GAUGE,
            "images",
            "Tagged images of this instance's partitions; these follow changes of the vocabulary."),
    KEPT_FEATURES(
            "tagstream.known.features",
            Type.GAUGE,
            "images",
            "Known images that can be scored again without being read."),
    SHADOW_TAGS(
            "tagstream.shadow.tags",
            Type.COUNTER,
            "tags",
            "Tags that newly read images would have been given if shadow labels were active."),
    DAMAGED_STATE(
            "tagstream.state.damaged",
            Type.COUNTER,
            "tasks",
            "Tasks whose files in the state directory were damaged and are restored from Kafka"
                    + " ([what to do](operations.md#when-the-state-directory-has-problems)). If it rises"
                    + " again and again, the disk is bad."),
    VOCABULARY_LABELS(
            "tagstream.vocabulary.labels",
            Type.GAUGE,
            "labels",
            "Labels in force on this instance. 0: images get no tags, because the vocabulary is empty or has not been"
                    + " read yet."),
    WAITING_LABELS(
            "tagstream.vocabulary.waiting",
            Type.GAUGE,
            "changes",
            "Changes of labels that wait in this instance's label encoder, because the schema registry does not answer."),
    LOST_TOPICS(
            "tagstream.topics.lost",
            Type.COUNTER,
            "losses",
            "How often a topic was deleted while this instance ran, or emptied if Tagstream can write its records again"
                    + " ([what to do](operations.md#when-a-topic-is-lost)).",
            "topic"),
    MISSING_TOPICS(
            "tagstream.topics.missing",
            Type.GAUGE,
            "topics",
            "Topics that were deleted and that Tagstream may not create again."),
    VOCABULARY_EPOCH(
            "tagstream.vocabulary.epoch",
            Type.GAUGE,
            "offset",
            "The vocabulary's epoch on this instance; -1 if there is none.");

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
