/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.outcomes;

import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.TagEvent;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads the outcomes for images and labels: only committed records, each one once. Used by one thread. */
public final class OutcomeReader implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);

    /**
     * A header of image references that identifies their submission: outcomes carry the headers of their references.
     */
    private static final String SUBMISSION = "tagstream-submission";

    private final String tagsTopic;
    private final String imageFailuresTopic;
    private final String labelFailuresTopic;
    private final String deadLettersTopic;
    private final Deserializer<TagEvent> tagEvents;
    private final Deserializer<ImageFailure> imageFailures;
    private final Deserializer<LabelFailure> labelFailures;
    private final KafkaConsumer<String, byte[]> consumer;
    private final Map<String, TagEvent> current = new HashMap<>();
    private Optional<Header> submission = Optional.empty();

    public OutcomeReader(TagstreamConfig config, Contracts contracts) {
        tagsTopic = config.topic(TagstreamConfig.TAGS_TOPIC);
        imageFailuresTopic = config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC);
        labelFailuresTopic = config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC);
        deadLettersTopic = config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC);
        tagEvents = contracts.tagEvent().deserializer();
        imageFailures = contracts.imageFailure().deserializer();
        labelFailures = contracts.labelFailure().deserializer();
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    /** Reads every image's current tags; {@link #poll} then returns the outcomes that come after them. */
    public void readCurrentTags() {
        List<TopicPartition> tags = partitions(tagsTopic);
        List<TopicPartition> failures = new ArrayList<>(partitions(imageFailuresTopic));
        failures.addAll(partitions(labelFailuresTopic));
        failures.addAll(partitions(deadLettersTopic));
        List<TopicPartition> all = new ArrayList<>(tags);
        all.addAll(failures);
        consumer.assign(all);
        consumer.seekToEnd(failures);
        failures.forEach(consumer::position); // the end as it is now, not at the first poll
        consumer.seekToBeginning(tags);
        Map<TopicPartition, Long> ends = consumer.endOffsets(tags);
        consumer.pause(failures);
        while (tags.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            consumer.poll(POLL).forEach(this::takeTags);
        }
        consumer.resume(failures);
    }

    /** Starts from now: {@link #poll} returns only later outcomes. */
    public void readFromNow() {
        List<TopicPartition> all = partitions();
        consumer.assign(all);
        consumer.seekToEnd(all);
        all.forEach(consumer::position); // the end as it is now, not at the first poll
    }

    /** Starts from the oldest records that are kept. */
    public void readFromBeginning() {
        List<TopicPartition> all = partitions();
        consumer.assign(all);
        consumer.seekToBeginning(all);
    }

    /**
     * From now on, {@link #poll} returns only the outcomes of references that have a certain header. It leaves out
     * other submissions of the same images, and changes to the vocabulary.
     *
     * @return that header
     */
    public Header followSubmission() {
        Header header =
                new RecordHeader(SUBMISSION, UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8));
        submission = Optional.of(header);
        return header;
    }

    private boolean isOther(ConsumerRecord<String, byte[]> outcome) {
        return submission.isPresent()
                && !submission.get().equals(outcome.headers().lastHeader(SUBMISSION));
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> all = new ArrayList<>();
        for (String topic : List.of(tagsTopic, imageFailuresTopic, labelFailuresTopic, deadLettersTopic)) {
            all.addAll(partitions(topic));
        }
        return all;
    }

    /** The latest tags of every tagged image, as far as they have been read; a view. */
    public Map<String, TagEvent> current() {
        return Collections.unmodifiableMap(current);
    }

    /**
     * Waits a moment for outcomes.
     *
     * @param complaints receives a sentence for every label that was refused and every record that could not be read
     * @return the outcomes, in order within each partition
     */
    public List<ImageOutcome> poll(Duration patience, Consumer<String> complaints) {
        List<ImageOutcome> outcomes = new ArrayList<>();
        for (ConsumerRecord<String, byte[]> found : consumer.poll(patience)) {
            if (found.topic().equals(labelFailuresTopic)) {
                LabelFailure failure = labelFailures.deserialize(found.topic(), found.value());
                complaints.accept("label %s was refused, %s: %s"
                        .formatted(found.key(), failure.getReason(), failure.getMessage()));
            } else if (found.topic().equals(deadLettersTopic)) {
                complaints.accept(DeadLetters.reason(found.headers()).describe());
            } else if (!isOther(found)) {
                take(found).ifPresent(outcomes::add);
            }
        }
        return outcomes;
    }

    private Optional<ImageOutcome> take(ConsumerRecord<String, byte[]> found) {
        return found.topic().equals(imageFailuresTopic)
                ? Optional.of(
                        new ImageOutcome.Failed(found.key(), imageFailures.deserialize(found.topic(), found.value())))
                : takeTags(found);
    }

    /** Returns empty for the deletion of an image that had no tags. */
    private Optional<ImageOutcome> takeTags(ConsumerRecord<String, byte[]> found) {
        TagEvent event = tagEvents.deserialize(found.topic(), found.value());
        if (event == null) {
            return Optional.ofNullable(current.remove(found.key()))
                    .map(last -> new ImageOutcome.Deleted(found.key(), last.getUri()));
        }
        current.put(found.key(), event);
        return Optional.of(new ImageOutcome.Tagged(found.key(), event));
    }

    private List<TopicPartition> partitions(String topic) {
        Collection<PartitionInfo> partitions = consumer.partitionsFor(topic);
        return partitions.stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
    }

    @Override
    public void close() {
        consumer.close();
    }
}
