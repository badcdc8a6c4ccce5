/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.ClusterControl;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows the control record in force, as far as this instance has read.
 *
 * <p><i>Threading notes.</i> Reads on a thread of its own, which {@link #close} ends. Any thread may ask.
 */
public final class ControlFollower implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ControlFollower.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final String topic;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread = new Thread(this::follow, "tagstream-control");
    private volatile ClusterControl inForce;

    public ControlFollower(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.topic = config.topic(TagstreamConfig.CONTROL_TOPIC);
        thread.setDaemon(true);
    }

    /** Starts to follow. {@code present} is the record in force now. */
    public void start(ClusterControl present) {
        take(present);
        thread.start();
    }

    /** The newest record that this instance has read; null before the start. */
    public ClusterControl inForce() {
        return inForce;
    }

    private void follow() {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, config.applicationId() + "-control-follower");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        try (Consumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (!closesWithin(Duration.ZERO)) {
                try {
                    for (ConsumerRecord<byte[], byte[]> found : consumer.poll(POLL)) {
                        read(found);
                    }
                } catch (KafkaException e) {
                    log.warn("Topic {} cannot be read for now: {}", topic, e.toString());
                    closesWithin(PAUSE);
                }
            }
        }
    }

    /** Reads a record. While the registry does not answer, this method waits for it. */
    private void read(ConsumerRecord<byte[], byte[]> found) {
        while (true) {
            try {
                ClusterControl control =
                        contracts.clusterControl().deserializer().deserialize(topic, found.value());
                if (control != null) {
                    take(control);
                }
                return;
            } catch (RuntimeException e) {
                if (Blame.isOnRecord(e)) {
                    log.error("Skipped the record at {}@{}: {}", topic, found.offset(), e.getMessage(), e);
                    return;
                }
                log.warn("The record at {}@{} cannot be read yet: {}", topic, found.offset(), e.toString());
                if (closesWithin(PAUSE)) {
                    return;
                }
            }
        }
    }

    private void take(ClusterControl control) {
        if (inForce != null && control.getRevision() <= inForce.getRevision()) {
            return;
        }
        inForce = control;
        log.info(
                "In force by control revision {}: bundle {}; {}",
                control.getRevision(),
                Controls.named(control.getBundle()),
                Controls.described(control.getPolicy()));
    }

    private boolean closesWithin(Duration pause) {
        try {
            return closing.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
