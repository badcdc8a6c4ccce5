/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.EmbeddingReader;
import io.tagstream.topology.vocabulary.LabelLimits;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What label-embeddings says about an encoder's labels, and about the epochs that any encoder has reached. */
final class WrittenEmbeddings {
    private static final Logger log = LoggerFactory.getLogger(WrittenEmbeddings.class);

    /** This encoder's labels by id; empty for a label that cannot be read. */
    private final Map<String, Optional<LabelEmbedding>> labels = new LinkedHashMap<>();

    /** The highest epoch base for each label-vocabulary topic, by topic id. */
    private final Map<String, Long> bases = new HashMap<>();

    /** Labels of other encoders that exceed the limits, by id. */
    private final Map<String, Label> elsewhere = new HashMap<>();

    private final LabelLimits limits;
    private LabelEmbedding marker;
    private long ownEpoch = VocabularySnapshot.EMPTY_EPOCH;
    private boolean changedSinceMarker;
    private long newestEpoch = VocabularySnapshot.EMPTY_EPOCH;

    /** @throws org.apache.kafka.common.KafkaException if the registry does not answer */
    WrittenEmbeddings(TopicReader.Contents topic, EmbeddingReader reader, LabelLimits limits) {
        this.limits = limits;
        topic.records().forEach(found -> take(found, reader));
    }

    private void take(ConsumerRecord<byte[], byte[]> found, EmbeddingReader reader) {
        EmbeddingKey key;
        try {
            key = EmbeddingReader.key(found.key());
        } catch (IllegalArgumentException e) {
            log.debug("The record at {}@{} belongs to no label encoder", found.topic(), found.offset(), e);
            return;
        }
        boolean own = key.textFingerprint().equals(reader.model().textFingerprint());
        if (!own && !key.isMarker()) {
            takeFromElsewhere(key.labelId(), found, reader);
            return;
        }
        Optional<LabelEmbedding> embedding = Optional.empty();
        try {
            embedding = Optional.ofNullable(reader.value(key, found.value()));
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.warn(
                    "The record at {}@{} with key {} cannot be read: {}",
                    found.topic(),
                    found.offset(),
                    key,
                    e.getMessage());
        }
        if (key.isMarker()) {
            takeMarker(embedding.orElse(null), own);
        } else {
            changedSinceMarker = true;
            if (found.value() == null) {
                labels.remove(key.labelId());
            } else {
                labels.put(key.labelId(), embedding);
            }
        }
    }

    private void takeFromElsewhere(String id, ConsumerRecord<byte[], byte[]> found, EmbeddingReader reader) {
        elsewhere.remove(id);
        try {
            LabelEmbedding embedding = reader.deserializer().deserialize(reader.topic(), found.value());
            if (embedding != null
                    && embedding.getContent() instanceof EncodedLabel label
                    && limits.refusal(id, label.getLabel(), null).isPresent()) {
                elsewhere.put(id, label.getLabel());
            }
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.debug("The label at {}@{} of another encoder cannot be read", found.topic(), found.offset(), e);
        }
    }

    private void takeMarker(LabelEmbedding found, boolean own) {
        if (own) {
            marker = found;
            changedSinceMarker = false;
        }
        if (found == null) {
            return;
        }
        newestEpoch = Math.max(newestEpoch, found.getSourceOffset());
        if (own) {
            ownEpoch = Math.max(ownEpoch, found.getSourceOffset());
        }
        VocabularyMarker content = (VocabularyMarker) found.getContent();
        if (content.getTopicId() != null) {
            long base = found.getSourceOffset() - content.getTopicOffset() - Resumption.changes(content.getRules());
            bases.merge(content.getTopicId(), base, Math::max);
        }
    }

    /** The encoder's labels by id; empty for a label that cannot be read. */
    Map<String, Optional<LabelEmbedding>> labels() {
        return labels;
    }

    /** Labels that another encoder has in force although they exceed the limits, by id. */
    Map<String, Label> elsewhere() {
        return elsewhere;
    }

    /** The encoder's newest marker. */
    Optional<LabelEmbedding> marker() {
        return Optional.ofNullable(marker);
    }

    /** The rules of the encoder's newest marker. */
    Optional<MarkerRules> rules() {
        return marker().map(found -> ((VocabularyMarker) found.getContent()).getRules());
    }

    /** Whether records of labels follow the encoder's newest marker: no instance has them in force before another one. */
    boolean changedSinceMarker() {
        return changedSinceMarker;
    }

    /** The highest epoch of the encoder's markers; -1 if there is none. */
    long ownEpoch() {
        return ownEpoch;
    }

    /** The highest epoch of any encoder's markers; -1 if there is none. */
    long newestEpoch() {
        return newestEpoch;
    }

    /** Whether no marker names its label-vocabulary topic, as in earlier versions of Tagstream. */
    boolean tellsNoTopic() {
        return bases.isEmpty();
    }

    /** The most that any encoder adds to the offsets of a label-vocabulary topic. */
    OptionalLong base(String topicId) {
        Long base = bases.get(topicId);
        return base == null ? OptionalLong.empty() : OptionalLong.of(base);
    }
}
