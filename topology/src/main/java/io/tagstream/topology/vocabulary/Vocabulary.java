/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.records.Blame;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The vocabulary of one text encoder, as its label-embeddings records tell it: changes are collected as they come and
 * take effect together at the next marker, whose offset is the vocabulary's epoch.
 *
 * <p><i>Threading notes.</i> {@link #apply} is called by one thread, Kafka Streams' global thread; every other method by
 * any. A snapshot is built by the first thread that asks for a new epoch, under this object's lock, so that reading a
 * long topic builds none but the last.
 *
 * <p>This object is owned outside the global processor, which Kafka Streams makes anew while it restores.
 */
public final class Vocabulary implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Vocabulary.class);
    private static final long SHORTEST_WAIT_MILLIS = 50;
    private static final long LONGEST_WAIT_MILLIS = 5_000;

    private final String topic;
    private final ModelDescription model;
    private final Deserializer<LabelEmbedding> deserializer;
    private final IntFunction<LabelSelection> selection;
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Changes since the newest marker; null removes. Of the applying thread alone. */
    private final Map<String, Optional<LabelEmbedding>> changes = new HashMap<>();

    /** Labels in force at {@link #epoch}, by id. Guarded by this. */
    private final TreeMap<String, LabelEmbedding> labels = new TreeMap<>();

    /** Guarded by this. */
    private long epoch = VocabularySnapshot.EMPTY_EPOCH;

    /** Guarded by this. */
    private VocabularySnapshot snapshot;

    /** The label-vocabulary offset that must be covered before anything is tagged. Guarded by this. */
    private long required = Long.MAX_VALUE;

    /** One of which every label is decoded, however many there are. */
    public Vocabulary(String topic, ModelDescription model, Deserializer<LabelEmbedding> deserializer) {
        this(topic, model, deserializer, size -> LabelSelection.ALL);
    }

    /**
     * A vocabulary that nothing is known of yet.
     *
     * @param selection which labels an image is decoded against, by how many there are
     */
    public Vocabulary(
            String topic,
            ModelDescription model,
            Deserializer<LabelEmbedding> deserializer,
            IntFunction<LabelSelection> selection) {
        this.topic = topic;
        this.model = model;
        this.deserializer = deserializer;
        this.selection = selection;
    }

    /**
     * The start-up rule: nothing is tagged until a marker covers {@code labelOffset}, the newest label-vocabulary record
     * when this instance started; {@link VocabularySnapshot#EMPTY_EPOCH} if there is none.
     */
    public synchronized void require(long labelOffset) {
        required = labelOffset;
        tellWhenInForce();
    }

    /** The newest snapshot; empty until the vocabulary has caught up with the start-up rule. */
    public synchronized Optional<VocabularySnapshot> snapshot() {
        return epoch >= required ? Optional.of(current()) : Optional.empty();
    }

    /** The newest epoch, whether or not it covers the start-up rule. */
    public synchronized long epoch() {
        return epoch;
    }

    /** Why there is no snapshot to work with; empty when there is. */
    public synchronized Optional<String> notReadyBecause() {
        if (epoch >= required) {
            return Optional.empty();
        }
        return Optional.of(
                required == Long.MAX_VALUE
                        ? "the vocabulary's end is not known yet"
                        : "the vocabulary is encoded up to offset " + epoch + " of " + required);
    }

    /**
     * Takes in a label-embeddings record. Never throws: whoever can write to the topic could otherwise stop every
     * instance for good. A record that cannot be read is logged and left out; while the registry does not answer, it is
     * waited for, as no record is to blame for that.
     */
    void apply(byte[] rawKey, byte[] rawValue) {
        long wait = SHORTEST_WAIT_MILLIS;
        while (!applied(rawKey, rawValue) && !closedWithin(wait)) {
            wait = Math.min(2 * wait, LONGEST_WAIT_MILLIS);
        }
    }

    /** Lets nothing wait any more: this instance ends. */
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

    /** Whether the record is done with, taken in or left out. */
    private boolean applied(byte[] rawKey, byte[] rawValue) {
        try {
            if (rawKey == null) {
                throw new IllegalArgumentException("The record has no key");
            }
            EmbeddingKey key = EmbeddingKey.parse(new String(rawKey, StandardCharsets.UTF_8));
            if (!key.textFingerprint().equals(model.textFingerprint())) {
                return true; // another model's
            }
            LabelEmbedding embedding = deserializer.deserialize(topic, rawValue);
            if (key.isMarker()) {
                if (embedding != null && embedding.getContent() instanceof VocabularyMarker) {
                    commit(embedding.getSourceOffset());
                }
            } else if (embedding == null) {
                changes.put(key.labelId(), Optional.empty());
            } else if (embedding.getContent() instanceof EncodedLabel label) {
                int bytes = label.getVector().remaining();
                if (bytes != model.embeddingSize() * Float.BYTES) {
                    throw new IllegalArgumentException(
                            "The vector has " + bytes + " bytes, expected " + model.embeddingSize() * Float.BYTES);
                }
                changes.put(key.labelId(), Optional.of(embedding));
            }
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                log.error("A record of {} cannot be looked into yet: {}; trying again", topic, e.getMessage(), e);
                return false;
            }
            log.error(
                    "Left out a record of {} with key {}: {}",
                    topic,
                    rawKey == null ? "null" : new String(rawKey, StandardCharsets.UTF_8),
                    e.getMessage(),
                    e);
        }
        return true;
    }

    private synchronized void commit(long newEpoch) {
        if (newEpoch < epoch) {
            return; // reading an uncompacted topic again
        }
        changes.forEach((id, label) -> {
            if (label.isPresent()) {
                labels.put(id, label.get());
            } else {
                labels.remove(id);
            }
        });
        changes.clear();
        epoch = newEpoch;
        tellWhenInForce();
    }

    /** Once caught up, every epoch is worth a line; before, there may be thousands. */
    private void tellWhenInForce() {
        if (epoch >= required) {
            log.info("Vocabulary of {} labels in force, epoch {}", labels.size(), epoch);
        }
    }

    private VocabularySnapshot current() {
        if (snapshot == null || snapshot.epoch() != epoch) {
            snapshot = new VocabularySnapshot(
                    epoch, model.embeddingSize(), labels.values(), selection.apply(labels.size()));
        }
        return snapshot;
    }
}
