/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics from a point in time to their end as it is when the reading begins: only committed records, and without
 * a consumer group. Used by one thread.
 */
public final class TopicScan implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int PATIENCE_MILLIS = 15_000;

    private final TagstreamConfig config;
    private final KafkaConsumer<byte[], byte[]> consumer;

    public TopicScan(TagstreamConfig config) {
        this.config = config;
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * Passes on every record of a topic whose timestamp is {@code since} or later, in order within each partition.
     *
     * @param key the configuration key that names the topic
     * @throws OperatorException if the topic does not exist
     * @throws org.apache.kafka.common.KafkaException if the cluster does not answer
     */
    public void read(String key, Optional<Instant> since, Consumer<ConsumerRecord<byte[], byte[]>> records) {
        String topic = config.topic(key);
        List<PartitionInfo> found = consumer.partitionsFor(topic);
        if (found == null || found.isEmpty()) {
            throw OperatorException.failed("topic %s does not exist on the Kafka cluster at %s; create it, or change %s"
                    .formatted(topic, ClusterTrouble.servers(config), key));
        }
        List<TopicPartition> partitions = found.stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
        consumer.assign(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        seek(partitions, since, ends);
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            for (ConsumerRecord<byte[], byte[]> next : consumer.poll(POLL)) {
                boolean wanted =
                        since.isEmpty() || next.timestamp() >= since.get().toEpochMilli();
                if (wanted && next.offset() < ends.get(new TopicPartition(topic, next.partition()))) {
                    records.accept(next);
                }
            }
        }
    }

    private void seek(List<TopicPartition> partitions, Optional<Instant> since, Map<TopicPartition, Long> ends) {
        if (since.isEmpty()) {
            consumer.seekToBeginning(partitions);
            return;
        }
        Map<TopicPartition, Long> times = new HashMap<>();
        partitions.forEach(
                partition -> times.put(partition, Math.max(0, since.get().toEpochMilli())));
        Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times);
        for (TopicPartition partition : partitions) {
            OffsetAndTimestamp start = starts.get(partition);
            consumer.seek(partition, start == null ? ends.get(partition) : start.offset());
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
