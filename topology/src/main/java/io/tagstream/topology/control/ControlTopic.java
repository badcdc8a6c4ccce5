/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.ClusterControl;
import io.tagstream.topology.clients.ClusterTopicReader;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Reads and changes the control record.
 *
 * <p>All writers share one transactional id. Whoever begins a change ends the transaction of anybody who has begun one
 * before, and then reads the record that the change is made from: of two changes at once, one fails.
 *
 * <p><i>Threading notes.</i> Stateless: every call opens its own clients and closes them.
 */
public final class ControlTopic {
    private static final byte[] KEY = "control".getBytes(StandardCharsets.UTF_8);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final String topic;

    public ControlTopic(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.topic = config.topic(TagstreamConfig.CONTROL_TOPIC);
    }

    /** Somebody else has begun a change meanwhile; nothing was changed. */
    public static final class ChangedMeanwhileException extends KafkaException {
        private static final long serialVersionUID = 1L;

        ChangedMeanwhileException(String topic, Throwable cause) {
            super("somebody else changes topic " + topic + " at the same time; nothing was changed, try again", cause);
        }
    }

    /**
     * The record in force; empty if there has never been one.
     *
     * @throws KafkaException if the cluster or the registry does not answer, or the record cannot be read
     */
    public Optional<ClusterControl> read() {
        try (TopicReader reader = new ClusterTopicReader(config, config.applicationId() + "-control")) {
            List<ConsumerRecord<byte[], byte[]>> records = reader.read(topic).records();
            return records.isEmpty()
                    ? Optional.empty()
                    : Optional.of(contracts
                            .clusterControl()
                            .deserializer()
                            .deserialize(topic, records.get(records.size() - 1).value()));
        }
    }

    /**
     * Changes the record.
     *
     * @param change makes the next record from the one in force; empty to leave that in force
     * @return the record in force from now on
     * @throws ChangedMeanwhileException if somebody else has begun a change meanwhile
     */
    public ClusterControl change(Function<Optional<ClusterControl>, Optional<ClusterControl>> change) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, config.applicationId() + "-control");
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, config.applicationId() + "-control");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            Optional<ClusterControl> before = read();
            Optional<ClusterControl> after = change.apply(before);
            if (after.isPresent()) {
                producer.beginTransaction();
                var unused = producer.send(new ProducerRecord<>(
                        topic, 0, KEY, contracts.clusterControl().serializer().serialize(topic, after.get())));
                producer.commitTransaction();
            }
            return after.or(() -> before).orElseThrow();
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            throw new ChangedMeanwhileException(topic, e);
        }
    }
}
