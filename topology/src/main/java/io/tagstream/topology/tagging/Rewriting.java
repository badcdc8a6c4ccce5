/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.ImageMeta;
import io.tagstream.topology.clients.TopicIdentities;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KeyValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes again what topics have lost, as far as the task's stores have it: the tags of its known images, and the records
 * of its changelogs. The task notes the identities of topics that have everything; where a topic has another identity,
 * it was deleted or emptied since.
 *
 * <p>Known images are written in turns, from the beginning if the task ends before all are written. Everything else is
 * written at once.
 *
 * <p><i>Threading notes.</i> Used only by the task's stream thread.
 */
final class Rewriting {
    private static final Logger log = LoggerFactory.getLogger(Rewriting.class);
    private static final int STEP_IMAGES = 16;

    /** The looks at the topics that must have ended since the task began, or they may be older than its notes. */
    private static final int LOOKS = 2;

    /** The most images to remember as written since. */
    private static final int MOST_FRESH = 100_000;

    /** What a task writes again by itself. */
    interface Task extends Sweeper.Task {
        /** Writes the entries of the pending store again; returns how many. */
        int writePending();

        /** Writes its progress again. */
        void writeProgress();
    }

    private final TaggingContext shared;
    private final KnownImages known;
    private final Task task;
    private final Map<String, String> topics;
    private final TopicIdentities identities;
    private final long began;

    /** Whether the identities have been compared since the task began. */
    private boolean compared;

    /** What known images are written to, with the identities that they are written for; empty when none are. */
    private final Map<String, String> targets = new HashMap<>();

    /** The last image that was written; null at the beginning. */
    private String cursor;

    /** Images whose tags were written since the task began, or since their topic was found to be another one. */
    private final Set<String> fresh = new HashSet<>();

    /** {@code applicationId} is the topology's. */
    Rewriting(TaggingContext shared, String applicationId, KnownImages known, Task task) {
        this.shared = shared;
        this.known = known;
        this.task = task;
        this.identities = shared.identities();
        this.began = identities.looks();
        this.topics = Map.of(
                TaggingTopology.TAGS_SINK, shared.config().topic(TagstreamConfig.TAGS_TOPIC),
                TaggingTopology.PENDING_STORE, TaggingTopology.changelog(applicationId, TaggingTopology.PENDING_STORE),
                TaggingTopology.IMAGE_META_STORE,
                        TaggingTopology.changelog(applicationId, TaggingTopology.IMAGE_META_STORE),
                TaggingTopology.SWEEP_STORE, TaggingTopology.changelog(applicationId, TaggingTopology.SWEEP_STORE),
                TaggingTopology.TASK_PROGRESS_STORE,
                        TaggingTopology.changelog(applicationId, TaggingTopology.TASK_PROGRESS_STORE));
    }

    /** Whether {@link #run} has something to do. */
    boolean due() {
        return !targets.isEmpty() || !outdated().isEmpty();
    }

    /** The copies whose topics are other ones now, with their present identities. */
    private Map<String, String> outdated() {
        Map<String, String> outdated = new HashMap<>();
        if (identities.looks() >= began + LOOKS) {
            topics.forEach((copy, topic) -> identity(copy, topic)
                    .filter(now -> !now.equals(known.copy(copy)))
                    .ifPresent(now -> outdated.put(copy, now)));
        }
        return outdated;
    }

    /** Tags may be in any partition, and a changelog's records are in the task's own. */
    private Optional<String> identity(String copy, String topic) {
        return copy.equals(TaggingTopology.TAGS_SINK)
                ? identities.of(topic)
                : identities.of(new TopicPartition(topic, task.id().partition()));
    }

    /** Notes that an image's tags were written: they need not be written again. */
    void wroteTags(String imageId) {
        boolean ahead = cursor == null || Coverage.ID_ORDER.compare(imageId, cursor) > 0;
        boolean matters = targets.isEmpty() ? !compared : ahead;
        if (matters && fresh.size() < MOST_FRESH) {
            fresh.add(imageId);
        }
    }

    /** Writes again what is missing, known images until {@code end} in the shared clock's time. */
    void run(long end) {
        Map<String, String> outdated = outdated();
        outdated.forEach(this::begin);
        compared = compared || identities.looks() >= began + LOOKS;
        if (compared && targets.isEmpty()) {
            fresh.clear();
        }
        while (!targets.isEmpty() && shared.nanoTime() < end) {
            writeImages();
        }
    }

    private void begin(String copy, String identity) {
        if (known.copy(copy) == null) {
            known.copied(copy, identity); // new, or written by an earlier version
            return;
        }
        switch (copy) {
            case TaggingTopology.TAGS_SINK, TaggingTopology.IMAGE_META_STORE -> {
                if (identity.equals(targets.put(copy, identity))) {
                    return;
                }
                cursor = null;
                if (compared) { // what this task wrote was lost, too
                    fresh.clear();
                }
                log.warn(
                        "Task {}: topic {} has lost records, so {} known images are written to it again",
                        task.id(),
                        topics.get(copy),
                        known.images());
            }
            case TaggingTopology.PENDING_STORE -> {
                int written = task.writePending();
                if (compared) {
                    log.warn(
                            "Task {}: topic {} has lost records, so {} images that await their outcome are written to"
                                    + " it again",
                            task.id(),
                            topics.get(copy),
                            written);
                } else {
                    log.error(
                            "Task {}: topic {} has lost records while nobody had them in memory: submit images again"
                                    + " that were submitted before {} and have neither tags nor a failure",
                            task.id(),
                            topics.get(copy),
                            task.now());
                }
                known.copied(copy, identity);
            }
            case TaggingTopology.TASK_PROGRESS_STORE -> {
                task.writeProgress();
                known.copied(copy, identity);
            }
            default -> known.copied(copy, identity); // writes the sweep store
        }
    }

    private void writeImages() {
        KnownImages.Page page = known.after(cursor, STEP_IMAGES);
        List<KeyValue<String, ImageMeta>> images = page.images();
        for (KeyValue<String, ImageMeta> image : images) {
            cursor = image.key;
            if (targets.containsKey(TaggingTopology.TAGS_SINK) && !fresh.contains(image.key)) {
                long epoch = known.epoch(image.key, image.value);
                task.emit(image.key, shared.outcomes().again(image.value, epoch, task.now()));
            }
            if (targets.containsKey(TaggingTopology.IMAGE_META_STORE)) {
                known.change(image.key, image.value);
            }
        }
        if (page.last()) {
            log.info("Task {}: {} known images are written again", task.id(), known.images());
            targets.forEach(known::copied);
            targets.clear();
            cursor = null;
        }
    }
}
