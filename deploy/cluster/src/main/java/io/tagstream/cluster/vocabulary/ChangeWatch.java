/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Follows what becomes of changes to the vocabulary: made before they are written, it then waits for the label encoder's
 * marker that covers them, and for the labels among them that were refused.
 *
 * <p><i>Threading notes.</i> Used by one thread.
 */
public final class ChangeWatch implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(50);

    private final Contracts contracts;
    private final TopicPartition embeddings;
    private final List<TopicPartition> failures;
    private final Consumer<String, byte[]> committed;

    /** Tells how far the failures' topic has been written to, whether or not the transaction has ended. */
    private final Consumer<String, byte[]> written;

    /** A watch that begins now. */
    public ChangeWatch(TagstreamConfig config, Contracts contracts) {
        this.contracts = contracts;
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

    /** A label that was not taken. */
    public record Refusal(String labelId, LabelFailure failure) {}

    /**
     * What became of changes.
     *
     * @param epoch the vocabulary epoch from which they are in force
     * @param labels how many labels the vocabulary then has
     * @param refusals those that were not taken
     */
    public record Effect(long epoch, int labels, List<Refusal> refusals) {}

    /**
     * Waits until changes are in force or refused.
     *
     * @param offsets the changes' offsets in the vocabulary's topic, at least one
     * @return empty if nobody has taken them up within {@code patience}
     */
    public Optional<Effect> await(Collection<Long> offsets, Duration patience) {
        long newest = offsets.stream().mapToLong(Long::longValue).max().orElseThrow();
        Set<Long> wanted = Set.copyOf(offsets);
        List<Refusal> refusals = new ArrayList<>();
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
                } else if (found.value() != null && marker == null) {
                    LabelEmbedding embedding =
                            contracts.labelEmbedding().deserializer().deserialize(found.topic(), found.value());
                    boolean covers =
                            embedding.getContent() instanceof VocabularyMarker && embedding.getSourceOffset() >= newest;
                    marker = covers ? embedding : null;
                }
            }
            if (marker != null && allFailuresRead()) {
                int labels = ((VocabularyMarker) marker.getContent()).getLabels();
                return Optional.of(new Effect(marker.getSourceOffset(), labels, refusals));
            }
        }
        return Optional.empty();
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
    }
}
