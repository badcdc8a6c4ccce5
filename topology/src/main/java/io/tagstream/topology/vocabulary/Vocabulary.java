/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.records.Blame;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The vocabulary of one text encoder, as its label-embeddings records describe it: changes are collected as they arrive
 * and take effect together at the next marker, which states the vocabulary's epoch.
 *
 * <p>A marker takes effect only if there are as many labels as it states. A reader has fewer if it begins in the middle
 * of the topic, where compaction has removed records that later ones replaced, or if records are lost: the labels in
 * force then stay in force until a later marker matches. The label encoder makes sure that one does: it ends every
 * group of changes with a marker, and writes again whatever is missing from the topic.
 *
 * <p><i>Threading notes.</i> {@link #apply} is called by one thread, Kafka Streams' global thread; every other method
 * may be called from any thread. A snapshot is built by the first thread that asks for a new epoch, under this object's
 * lock, so that reading a long topic builds only the last one.
 *
 * <p>This object is owned outside the global processor, which Kafka Streams recreates while it restores.
 */
public final class Vocabulary implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Vocabulary.class);
    private static final long SHORTEST_WAIT_MILLIS = 50;
    private static final long LONGEST_WAIT_MILLIS = 5_000;

    /** What it means that there are no labels, and what to do. */
    public static final String EMPTY = "the vocabulary has no labels, so images get no tags; add some, for example the"
            + " model's own with: tagstream labels import --bundle";

    private final EmbeddingReader reader;
    private final IntFunction<LabelSelection> selection;
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Changes since the newest marker; an empty value removes the label. Used only by the applying thread. */
    private final Map<String, Optional<LabelEmbedding>> changes = new HashMap<>();

    /** Labels in force at {@link #epoch}, by id. Guarded by this. */
    private final TreeMap<String, LabelEmbedding> labels = new TreeMap<>();

    /** Guarded by this. */
    private long epoch = VocabularySnapshot.EMPTY_EPOCH;

    /** Guarded by this. */
    private VocabularySnapshot snapshot;

    /** The marker in force; null before the first. Guarded by this. */
    private VocabularyMarker inForce;

    /** Why the newest marker is not in force; null if it is. Guarded by this. */
    private String held;

    /** Whether the log says that the vocabulary is empty. Guarded by this. */
    private boolean toldEmpty;

    /** What must be covered before anything is tagged; null while that is unknown. Guarded by this. */
    private Requirement required;

    /** Whether the requirement was ever covered. Guarded by this. */
    private boolean covered;

    /** The rules of the newest marker that has any; null before the first. Guarded by this. */
    private MarkerRules rules;

    /** The id of a label-vocabulary topic, the offset of its newest record, and a revision of the control record. */
    private record Requirement(String topicId, long labelOffset, long revision) {}

    /** A vocabulary in which every label is decoded, however many there are. */
    public Vocabulary(String topic, ModelDescription model, Deserializer<LabelEmbedding> deserializer) {
        this(topic, model, deserializer, size -> LabelSelection.ALL);
    }

    /**
     * A vocabulary about which nothing is known yet.
     *
     * @param selection which labels an image is decoded against, by the number of labels
     */
    public Vocabulary(
            String topic,
            ModelDescription model,
            Deserializer<LabelEmbedding> deserializer,
            IntFunction<LabelSelection> selection) {
        this.reader = new EmbeddingReader(topic, model, deserializer);
        this.selection = selection;
    }

    /**
     * The startup rule: nothing is tagged until a marker covers what label-vocabulary held when this instance started,
     * and the control record that was in force.
     *
     * @param topicId the id of that topic: a marker for an earlier topic of the same name covers nothing of it
     * @param labelOffset the offset of its newest record; {@link VocabularySnapshot#EMPTY_EPOCH} if there is none
     * @param revision the revision of the control record
     */
    public synchronized void require(String topicId, long labelOffset, long revision) {
        required = new Requirement(topicId, labelOffset, revision);
        tellWhenInForce();
    }

    /** Nothing is tagged until a marker covers this control record, too: this instance's bundle is in force again. */
    public synchronized void require(long revision) {
        covered = false;
        require(required.topicId(), required.labelOffset(), revision);
    }

    /** Forgets everything, to be read from the beginning of label-embeddings again. Nothing may be applied meanwhile. */
    public synchronized void forget() {
        changes.clear();
        labels.clear();
        epoch = VocabularySnapshot.EMPTY_EPOCH;
        snapshot = null;
        inForce = null;
        held = null;
        required = null;
        covered = false;
        rules = null;
    }

    /** How many labels are in force; 0 until the vocabulary has caught up with the startup rule. */
    public synchronized int size() {
        return isCovered() ? labels.size() : 0;
    }

    /** What a vocabulary that is in force and has no labels means; empty if it has labels, or is not in force. */
    public synchronized Optional<String> emptiness() {
        return isCovered() && labels.isEmpty() ? Optional.of(EMPTY) : Optional.empty();
    }

    /** The newest snapshot; empty until the vocabulary has caught up with the startup rule. */
    public synchronized Optional<VocabularySnapshot> snapshot() {
        return isCovered() ? Optional.of(current()) : Optional.empty();
    }

    /** The newest epoch, whether or not it covers the startup rule. */
    public synchronized long epoch() {
        return epoch;
    }

    /** Why there is no usable snapshot; empty when there is one. */
    public synchronized Optional<String> notReadyBecause() {
        if (isCovered()) {
            return Optional.empty();
        }
        if (required == null) {
            return Optional.of("the vocabulary's end is not known yet");
        }
        if (held != null) {
            return Optional.of(held);
        }
        if (coversLabels()) {
            return Optional.of("the vocabulary's newest marker has control revision %d, not yet %d"
                    .formatted(rules == null ? 0 : rules.getRevision(), required.revision()));
        }
        return Optional.of(
                inForce == null || isOfRequiredTopic()
                        ? "the vocabulary is encoded up to offset " + coveredOffset() + " of " + required.labelOffset()
                        : "the vocabulary's topic was recreated, and its labels are not encoded yet");
    }

    private boolean isCovered() {
        if (required == null) {
            return false;
        }
        covered = covered || (coversLabels() && rules != null && rules.getRevision() >= required.revision());
        return covered;
    }

    private boolean coversLabels() {
        return inForce != null && isOfRequiredTopic() && coveredOffset() >= required.labelOffset();
    }

    /** Markers from earlier versions of Tagstream do not say which topic they are for. */
    private boolean isOfRequiredTopic() {
        return inForce.getTopicId() == null || inForce.getTopicId().equals(required.topicId());
    }

    /** The label-vocabulary offset that the marker in force covers; without one, an empty topic is covered. */
    private long coveredOffset() {
        return inForce == null || inForce.getTopicId() == null ? epoch : inForce.getTopicOffset();
    }

    /**
     * Takes in a label-embeddings record. Never throws: otherwise anyone who can write to the topic could stop every
     * instance for good. A record that cannot be read is logged and left out. While the registry does not answer, this
     * method waits for it, since that is not the record's fault.
     */
    void apply(byte[] rawKey, byte[] rawValue) {
        long wait = SHORTEST_WAIT_MILLIS;
        while (!applied(rawKey, rawValue) && !closedWithin(wait)) {
            wait = Math.min(2 * wait, LONGEST_WAIT_MILLIS);
        }
    }

    /** Stops all waiting: this instance is closing. */
    @Override
    public void close() {
        closed.countDown();
    }

    private boolean closedWithin(long millis) {
        try {
            return closed.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Whether the record is finished with, either taken in or left out. */
    private boolean applied(byte[] rawKey, byte[] rawValue) {
        try {
            EmbeddingKey key = EmbeddingReader.key(rawKey);
            if (!key.textFingerprint().equals(reader.model().textFingerprint())) {
                return true; // for another model
            }
            LabelEmbedding embedding = reader.value(key, rawValue);
            if (key.isMarker()) {
                commit(embedding.getSourceOffset(), (VocabularyMarker) embedding.getContent());
            } else {
                changes.put(key.labelId(), Optional.ofNullable(embedding));
            }
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                log.error("A record of {} cannot be read yet: {}; trying again", reader.topic(), e.getMessage(), e);
                return false;
            }
            log.error(
                    "Skipped a record of {} with key {}: {}",
                    reader.topic(),
                    rawKey == null ? "null" : new String(rawKey, StandardCharsets.UTF_8),
                    e.getMessage(),
                    e);
        }
        return true;
    }

    private synchronized void commit(long newEpoch, VocabularyMarker marker) {
        if (newEpoch < epoch) {
            return; // an uncompacted topic is being read again
        }
        int size = sizeWithChanges();
        if (size != marker.getLabels()) {
            hold(newEpoch, marker, size);
            return;
        }
        held = null;
        changes.forEach((id, label) -> {
            if (label.isPresent()) {
                labels.put(id, label.get());
            } else {
                labels.remove(id);
            }
        });
        changes.clear();
        MarkerRules newRules = marker.getRules() == null ? rules : marker.getRules();
        if (newEpoch != epoch || !Objects.equals(newRules, rules)) {
            snapshot = null;
        }
        epoch = newEpoch;
        rules = newRules;
        inForce = marker;
        tellWhenInForce();
    }

    private int sizeWithChanges() {
        int size = labels.size();
        for (Map.Entry<String, Optional<LabelEmbedding>> change : changes.entrySet()) {
            boolean before = labels.containsKey(change.getKey());
            boolean after = change.getValue().isPresent();
            size += (after ? 1 : 0) - (before ? 1 : 0);
        }
        return size;
    }

    /** Logs once: while a long topic is read, many markers may not match before one does. */
    private void hold(long newEpoch, VocabularyMarker marker, int size) {
        boolean first = held == null;
        held = "epoch %d of the vocabulary has %d labels, but there are %d on topic %s; the label encoder repairs this"
                .formatted(newEpoch, marker.getLabels(), size, reader.topic());
        if (first && isCovered()) {
            log.warn("The vocabulary stays at epoch {} for now: {}", epoch, held);
        }
    }

    /** Once caught up, every epoch is worth a log line; before that, there may be thousands. */
    private void tellWhenInForce() {
        if (!isCovered()) {
            return;
        }
        boolean wasEmpty = toldEmpty;
        toldEmpty = labels.isEmpty();
        if (!toldEmpty) {
            log.info("Vocabulary of {} labels in force, epoch {}", labels.size(), epoch);
        } else if (!wasEmpty) {
            log.warn("Epoch {}: {}", epoch, EMPTY);
        }
    }

    private VocabularySnapshot current() {
        if (snapshot == null) {
            snapshot = new VocabularySnapshot(
                    epoch, rules, reader.model().embeddingSize(), labels.values(), selection.apply(labels.size()));
        }
        return snapshot;
    }
}
