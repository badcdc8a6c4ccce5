/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.topology.Contracts;
import io.tagstream.topology.TagstreamConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The vocabulary's topic as a table that can be read and replaced. Used by one thread. */
public final class VocabularyTopic {
    private static final Duration POLL = Duration.ofMillis(200);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final TopicPartition partition;

    public VocabularyTopic(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.partition = new TopicPartition(config.topic(TagstreamConfig.LABELS_TOPIC), 0);
    }

    /**
     * A state of the topic.
     *
     * @param labels the labels by their ids
     * @param lastOffset the offset of the last record, -1 if there was never one
     */
    public record Contents(Map<String, Label> labels, long lastOffset) {}

    /** Reads the topic to its present end. */
    public Contents read() {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        Map<String, Label> labels = new LinkedHashMap<>();
        try (Consumer<String, Label> consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), contracts.label().deserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long lastOffset = -1; // not end - 1: the end may be that of a transaction
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<String, Label> label : consumer.poll(POLL)) {
                    lastOffset = label.offset();
                    if (label.value() == null) {
                        labels.remove(label.key());
                    } else {
                        labels.put(label.key(), label.value());
                    }
                }
            }
            return new Contents(labels, lastOffset);
        }
    }

    /**
     * Makes {@code wanted} the vocabulary: writes labels that differ and removes those that are not in it.
     *
     * @return the topic's state afterwards
     */
    public Contents replace(Map<String, Label> wanted) {
        Contents before = read();
        Map<String, Label> changes = changes(before.labels(), wanted, true);
        if (changes.isEmpty()) {
            return before;
        }
        List<Long> offsets = write(changes);
        return new Contents(wanted, offsets.get(offsets.size() - 1));
    }

    /**
     * What must be written to come from one vocabulary to another: labels by their ids, null for one to be removed.
     *
     * @param removing whether labels that are not wanted are removed
     */
    public static Map<String, Label> changes(Map<String, Label> present, Map<String, Label> wanted, boolean removing) {
        Map<String, Label> changes = new LinkedHashMap<>(wanted);
        changes.entrySet().removeIf(label -> label.getValue().equals(present.get(label.getKey())));
        if (removing) {
            present.keySet().stream().filter(id -> !wanted.containsKey(id)).forEach(id -> changes.put(id, null));
        }
        return changes;
    }

    /**
     * Writes changes: labels by their ids, null for one to be removed.
     *
     * @return the offsets of the records, ascending
     * @throws KafkaException if a record is not acknowledged; others may have been
     */
    public List<Long> write(Map<String, Label> changes) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        List<Long> offsets = new ArrayList<>();
        try (Producer<String, Label> producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.label().serializer())) {
            List<Future<RecordMetadata>> written = new ArrayList<>();
            changes.forEach(
                    (id, label) -> written.add(producer.send(new ProducerRecord<>(partition.topic(), id, label))));
            producer.flush();
            for (Future<RecordMetadata> record : written) {
                offsets.add(record.get().offset());
            }
        } catch (ExecutionException e) {
            throw new KafkaException("The vocabulary cannot be written to topic " + partition.topic(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while writing the vocabulary", e);
        }
        offsets.sort(null);
        return offsets;
    }
}
