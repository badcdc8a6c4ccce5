/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The compacted topic that keeps the registry's entries, as JSON. Not thread-safe: the owner guards it. Owns its
 * producer.
 */
final class RegistryTopic implements AutoCloseable {
    static final String NAME = "_schemas";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TopicPartition PARTITION = new TopicPartition(NAME, 0);
    private static final int TIMEOUT_MILLIS = 10_000;

    private final KafkaProducer<String, String> producer;

    private RegistryTopic(KafkaProducer<String, String> producer) {
        this.producer = producer;
    }

    /**
     * Opens the topic, creating it if missing, and reads it to its end.
     *
     * @param replay receives every entry, oldest first
     * @throws IOException when the broker does not answer or an entry cannot be read
     */
    static RegistryTopic open(String bootstrapServers, Consumer<RegistryEntry> replay) throws IOException {
        try {
            create(bootstrapServers);
            read(bootstrapServers, replay);
            return new RegistryTopic(new KafkaProducer<>(
                    Map.of(
                            "bootstrap.servers", bootstrapServers,
                            "client.id", "schema-registry",
                            "max.block.ms", TIMEOUT_MILLIS,
                            "request.timeout.ms", TIMEOUT_MILLIS / 2,
                            "delivery.timeout.ms", TIMEOUT_MILLIS),
                    new StringSerializer(),
                    new StringSerializer()));
        } catch (KafkaException failed) {
            throw new IOException(
                    "The schema registry cannot read its topic " + NAME + " at " + bootstrapServers + ": "
                            + failed.getMessage(),
                    failed);
        }
    }

    private static void create(String bootstrapServers) {
        NewTopic topic =
                new NewTopic(NAME, Optional.of(1), Optional.empty()).configs(Map.of("cleanup.policy", "compact"));
        try (Admin admin = Admin.create(Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "client.id",
                "schema-registry",
                "default.api.timeout.ms",
                TIMEOUT_MILLIS,
                "request.timeout.ms",
                TIMEOUT_MILLIS / 2))) {
            await(admin.createTopics(List.of(topic)).all());
        } catch (TopicExistsException expected) {
            return; // made by an earlier start
        }
    }

    private static void read(String bootstrapServers, Consumer<RegistryEntry> replay) throws IOException {
        Map<String, Object> configs = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "client.id",
                "schema-registry",
                "default.api.timeout.ms",
                TIMEOUT_MILLIS,
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                false);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(PARTITION));
            long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
            long deadline =
                    System.nanoTime() + Duration.ofMillis(TIMEOUT_MILLIS).toNanos();
            while (consumer.position(PARTITION) < end) {
                if (System.nanoTime() > deadline) {
                    throw new IOException("The schema registry could read its topic " + NAME + " only up to offset "
                            + consumer.position(PARTITION) + " of " + end + " in " + TIMEOUT_MILLIS + " ms");
                }
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    replay.accept(entry(record));
                }
            }
        }
    }

    private static RegistryEntry entry(ConsumerRecord<String, String> record) throws IOException {
        try {
            return new RegistryEntry(
                    JSON.readValue(record.key(), RegistryEntry.Key.class),
                    record.value() == null ? null : JSON.readValue(record.value(), RegistryEntry.Value.class));
        } catch (JsonProcessingException | IllegalArgumentException malformed) {
            throw new IOException(
                    "The schema registry cannot read offset " + record.offset() + " of its topic " + NAME
                            + ": did another registry write it? " + malformed.getMessage(),
                    malformed);
        }
    }

    /**
     * Writes entries and returns when the broker has them.
     *
     * @throws RegistryError when the broker does not accept them
     */
    void append(List<RegistryEntry> entries) {
        try {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (RegistryEntry entry : entries) {
                sent.add(producer.send(new ProducerRecord<>(
                        NAME,
                        JSON.writeValueAsString(entry.key()),
                        entry.value() == null ? null : JSON.writeValueAsString(entry.value()))));
            }
            for (Future<RecordMetadata> future : sent) {
                await(future);
            }
        } catch (KafkaException | JsonProcessingException failed) {
            throw RegistryError.storeFailed(failed.getMessage());
        }
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof KafkaException cause) {
                throw cause;
            }
            throw new KafkaException(failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptException(interrupted);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofMillis(TIMEOUT_MILLIS));
    }
}
