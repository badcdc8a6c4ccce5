/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Submits records again with their key, value and headers unchanged, but with the current time: with its old timestamp,
 * a record could pass its topic's retention before it is read. Used by one thread.
 */
public final class Resubmission implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 15_000;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Producer<byte[], byte[]> producer;

    public Resubmission(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2 * PATIENCE_MILLIS);
        this.producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** A record that is being sent. */
    public static final class Sent {
        private final Future<RecordMetadata> written;

        private Sent(Future<RecordMetadata> written) {
            this.written = written;
        }

        /**
         * Waits until the cluster has the record.
         *
         * @return its position: {@code topic-partition@offset}
         * @throws KafkaException if the cluster does not accept it
         */
        public String await() {
            try {
                RecordMetadata place = written.get();
                return "%s-%d@%d".formatted(place.topic(), place.partition(), place.offset());
            } catch (ExecutionException e) {
                if (e.getCause() instanceof KafkaException refused) {
                    throw refused;
                }
                throw new KafkaException("A record cannot be submitted again", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new KafkaException("Interrupted while submitting records again", e);
            }
        }
    }

    /** Returns why a failure cannot be submitted again; empty if it can. */
    public static Optional<String> obstacle(FailedImage failed) {
        return failed.failure().getTruncated()
                ? Optional.of("its reference did not fit into a record and was cut; submit the whole reference")
                : Optional.empty();
    }

    /** Returns why a dead letter cannot be submitted again; empty if it can. */
    public Optional<String> obstacle(DeadLetter letter) {
        if (letter.reason().truncated()) {
            return Optional.of("it did not fit into a record and was cut; submit the whole record");
        }
        Set<String> read =
                Set.of(config.topic(TagstreamConfig.IMAGES_TOPIC), config.topic(TagstreamConfig.LABELS_TOPIC));
        return read.contains(letter.reason().topic())
                ? Optional.empty()
                : Optional.of("it comes from topic %s; only records of %s and %s can be submitted again"
                        .formatted(
                                letter.reason().topic(),
                                config.topic(TagstreamConfig.IMAGES_TOPIC),
                                config.topic(TagstreamConfig.LABELS_TOPIC)));
    }

    /** Submits a failed image's reference to the images topic. */
    public Sent submit(FailedImage failed) {
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        byte[] value = contracts
                .imageReference()
                .serializer()
                .serialize(topic, failed.failure().getReference());
        return send(topic, failed.imageId().getBytes(StandardCharsets.UTF_8), value, failed.headers());
    }

    /** Submits a dead letter's bytes to the topic that they were found on. */
    public Sent submit(DeadLetter letter) {
        ConsumerRecord<byte[], byte[]> found = letter.found();
        return send(letter.reason().topic(), found.key(), found.value(), DeadLetters.original(found.headers()));
    }

    private Sent send(String topic, byte[] key, byte[] value, Headers headers) {
        return new Sent(producer.send(new ProducerRecord<>(topic, null, key, value, headers)));
    }

    @Override
    public void close() {
        producer.close();
    }
}
