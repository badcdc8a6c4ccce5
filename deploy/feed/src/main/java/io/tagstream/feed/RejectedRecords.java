/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.RecordLimit;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * Writes records that cannot be indexed to dead-letters, unchanged and with the reason, in the same form as the
 * topologies' dead letters.
 *
 * <p><i>Threading notes.</i> Used by one thread; the callback for a letter runs on the producer's thread.
 */
final class RejectedRecords implements AutoCloseable {
    private final String topic;
    private final RecordLimit limit;
    private final Producer<byte[], byte[]> producer;

    RejectedRecords(TagstreamConfig config) {
        this.topic = config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC);
        this.limit = RecordLimit.of(config);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        this.producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Why a record cannot be indexed; programs recognize it by its class. */
    static final class DocumentRejectedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DocumentRejectedException(String reason) {
            super(reason, null, false, false);
        }
    }

    /**
     * Writes a letter.
     *
     * @param written receives the letter's metadata, or the exception if it could not be written
     */
    void write(
            ConsumerRecord<byte[], byte[]> found,
            Exception reason,
            BiConsumer<org.apache.kafka.clients.producer.RecordMetadata, Exception> written) {
        Record<byte[], byte[]> record =
                new Record<>(found.key(), found.value(), Write.writtenAt(found).toEpochMilli(), found.headers());
        Record<byte[], byte[]> letter = DeadLetters.of(record, new Position(found), reason, limit);
        var unused = producer.send(
                new ProducerRecord<>(topic, null, letter.timestamp(), letter.key(), letter.value(), letter.headers()),
                written::accept);
    }

    /** Where a record was found. */
    private record Position(String topic, int partition, long offset) implements RecordMetadata {
        Position(ConsumerRecord<byte[], byte[]> found) {
            this(found.topic(), found.partition(), found.offset());
        }
    }

    @Override
    public void close() {
        producer.close();
    }
}
