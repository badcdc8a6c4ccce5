/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.topology.clients.ClusterTopicReader;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows changes to the vocabulary until they take effect. Create it before you write the changes: it then waits for
 * the label encoder's marker that covers them and is in force, and for the labels among them that were refused.
 *
 * <p><i>Threading notes.</i> Used by one thread.
 */
public final class ChangeWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ChangeWatch.class);
    private static final Duration POLL = Duration.ofMillis(50);

    private final Contracts contracts;
    private final TopicReader topics;
    private final String labelsTopicId;
    private final TopicPartition embeddings;
    private final List<TopicPartition> failures;
    private final Consumer<String, byte[]> committed;

    /** Shows how far the failures' topic has been written to, whether or not the transaction has ended. */
    private final Consumer<String, byte[]> written;

    /** Starts a watch from now. */
    public ChangeWatch(TagstreamConfig config, Contracts contracts) {
        this.contracts = contracts;
        this.topics = new ClusterTopicReader(config, config.applicationId() + "-change-watch");
        this.labelsTopicId = topics.topicId(config.topic(TagstreamConfig.LABELS_TOPIC));
        this.committed = consumer(config, "read_committed");
        this.written = consumer(config, "read_uncommitted");
        this.embeddings = new TopicPartition(config.topic(TagstreamConfig.EMBEDDINGS_TOPIC), 0);
        this.failures = written.partitionsFor(config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC)).stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .toList();
        List<TopicPartition> all = new ArrayList<>(failures);
        all.add(embeddings);
        committed.assign(all);
        committed.seekToEnd(all);
        all.forEach(committed::position); // the ends as they are now, not when first polled
    }

    private static Consumer<String, byte[]> consumer(TagstreamConfig config, String isolation) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    /** A label that was refused. */
    public record Refusal(String labelId, LabelFailure failure) {}

    /**
     * The effect of changes.
     *
     * @param epoch the vocabulary epoch from which they are in force
     * @param labels how many labels the vocabulary then has
     * @param refusals the changes that were refused
     */
    public record Effect(long epoch, int labels, List<Refusal> refusals) {}

    /**
     * Waits until changes are in force or refused.
     *
     * @param offsets the changes' offsets in the vocabulary's topic, at least one
     * @param patience how long to wait for the next sign of progress
     * @param progress takes the number of changes that have been encoded or refused, whenever there are more
     * @return empty if the outcome is not known, and nothing has happened for {@code patience}
     */
    public Optional<Effect> await(Collection<Long> offsets, Duration patience, IntConsumer progress) {
        long newest = offsets.stream().mapToLong(Long::longValue).max().orElseThrow();
        Set<Long> wanted = Set.copyOf(offsets);
        List<Refusal> refusals = new ArrayList<>();
        Set<String> encoded = new HashSet<>();
        int done = 0;
        LabelEmbedding marker = null;
        long deadline = System.nanoTime() + patience.toNanos();
        while (System.nanoTime() < deadline) {
            for (ConsumerRecord<String, byte[]> found : committed.poll(POLL)) {
                if (failures.contains(new TopicPartition(found.topic(), found.partition()))) {
                    LabelFailure failure =
                            contracts.labelFailure().deserializer().deserialize(found.topic(), found.value());
                    if (wanted.contains(failure.getOrigin().getOffset())) {
                        refusals.add(new Refusal(found.key(), failure));
                    }
                } else if (marker == null && isMarker(found.key())) {
                    marker = read(found)
                            .filter(candidate -> covers(candidate, newest))
                            .flatMap(candidate -> inForce(candidate.getTextFingerprint(), newest))
                            .orElse(null);
                } else if (found.key() != null) {
                    encoded.add(found.key());
                }
            }
            int doneNow = Math.min(wanted.size(), encoded.size() + refusals.size());
            if (doneNow > done) {
                done = doneNow;
                deadline = System.nanoTime() + patience.toNanos();
                progress.accept(done);
            }
            if (marker != null && allFailuresRead()) {
                int labels = ((VocabularyMarker) marker.getContent()).getLabels();
                return Optional.of(new Effect(marker.getSourceOffset(), labels, refusals));
            }
        }
        return Optional.empty();
    }

    private static boolean isMarker(String key) {
        return key != null && key.contains("/") && EmbeddingKey.parse(key).isMarker();
    }

    /** Reads a record of label-embeddings; empty if it removes something, or cannot be read: instances skip those. */
    private Optional<LabelEmbedding> read(ConsumerRecord<?, byte[]> found) {
        try {
            return Optional.ofNullable(
                    contracts.labelEmbedding().deserializer().deserialize(found.topic(), found.value()));
        } catch (SerializationException e) {
            log.debug("{}@{} cannot be read", found.topic(), found.offset(), e);
            return Optional.empty();
        }
    }

    /**
     * A marker from an earlier topic of the same name covers nothing in this one. A marker from an earlier Tagstream
     * does not name its topic.
     */
    private boolean covers(LabelEmbedding embedding, long offset) {
        if (!(embedding.getContent() instanceof VocabularyMarker marker)) {
            return false;
        }
        return marker.getTopicId() == null
                ? embedding.getSourceOffset() >= offset
                : marker.getTopicId().equals(labelsTopicId) && marker.getTopicOffset() >= offset;
    }

    /**
     * Returns the newest marker that covers an offset and is in force wherever label-embeddings is read: there, too, a
     * marker takes effect only if there are as many labels as it says.
     */
    private Optional<LabelEmbedding> inForce(String textFingerprint, long offset) {
        Optional<LabelEmbedding> inForce = Optional.empty();
        Set<String> labels = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> found :
                topics.read(embeddings.topic()).records()) {
            String text = new String(found.key(), StandardCharsets.UTF_8);
            if (!text.startsWith(textFingerprint + "/")) {
                continue;
            }
            EmbeddingKey key = EmbeddingKey.parse(text);
            Optional<LabelEmbedding> embedding = read(found);
            if (!key.isMarker()) {
                if (found.value() == null) {
                    labels.remove(key.labelId());
                } else if (embedding.isPresent()) {
                    labels.add(key.labelId());
                }
            } else if (embedding.isPresent()
                    && covers(embedding.get(), offset)
                    && ((VocabularyMarker) embedding.get().getContent()).getLabels() == labels.size()) {
                inForce = embedding;
            }
        }
        return inForce;
    }

    /** A refusal is written before the marker, but the broker may show the marker first. */
    private boolean allFailuresRead() {
        Map<TopicPartition, Long> ends = written.endOffsets(failures);
        return failures.stream().allMatch(partition -> committed.position(partition) >= ends.get(partition));
    }

    @Override
    public void close() {
        committed.close();
        written.close();
        topics.close();
    }
}
