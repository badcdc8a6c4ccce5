/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.StreamsConfig;

/** Reads topics of a Kafka cluster. */
public final class ClusterTopicReader implements TopicReader {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> consumer;

    /** @param clientId the client id under which the cluster sees this reader */
    public ClusterTopicReader(TagstreamConfig config, String clientId) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(AdminClientConfig.CLIENT_ID_CONFIG, clientId);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        this.admin = Admin.create(settings);
        this.consumer = new KafkaConsumer<>(
                new StreamsConfig(StreamsSettings.of(config, config.applicationId(), 1))
                        .getRestoreConsumerConfigs(clientId),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    @Override
    public Contents read(String topic) {
        String topicId = topicId(topic);
        while (true) {
            Contents contents = read(topic, topicId);
            String idAfterwards = topicId(topic);
            if (idAfterwards.equals(topicId)) {
                return contents;
            }
            topicId = idAfterwards; // recreated in the meantime
        }
    }

    private Contents read(String topic, String topicId) {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long end = end(topic);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        long lastProgress = System.nanoTime();
        while (consumer.position(partition) < end) {
            long before = consumer.position(partition);
            for (ConsumerRecord<byte[], byte[]> found : consumer.poll(POLL)) {
                if (found.offset() < end) {
                    records.add(found);
                }
            }
            if (consumer.position(partition) > before) {
                lastProgress = System.nanoTime();
            } else if (System.nanoTime() - lastProgress > PATIENCE.toNanos()) {
                throw new TimeoutException("Topic " + topic + " ends at offset " + end + ", but reading did not get"
                        + " past " + before + " within " + PATIENCE.toSeconds() + " s");
            }
        }
        return new Contents(topicId, end, records);
    }

    @Override
    public long begin(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        return consumer.beginningOffsets(List.of(partition), PATIENCE).get(partition);
    }

    @Override
    public long end(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        return consumer.endOffsets(List.of(partition), PATIENCE).get(partition);
    }

    @Override
    public boolean hasHadRecords(String topic) {
        try {
            List<TopicPartition> partitions = describe(topic).partitions().stream()
                    .map(found -> new TopicPartition(topic, found.partition()))
                    .toList();
            return consumer.endOffsets(partitions, PATIENCE).values().stream().anyMatch(end -> end > 0);
        } catch (KafkaException e) {
            if (e.getCause() != null && e.getCause().getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public String topicId(String topic) {
        return describe(topic).topicId().toString();
    }

    private TopicDescription describe(String topic) {
        return await(admin.describeTopics(List.of(topic)).allTopicNames(), "topic " + topic)
                .get(topic);
    }

    @Override
    public boolean hasRead(String group, String topic) {
        return await(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), "consumer group " + group)
                .entrySet()
                .stream()
                .anyMatch(read -> read.getKey().topic().equals(topic) && read.getValue() != null);
    }

    private static <T> T await(KafkaFuture<T> answer, String what) {
        try {
            return answer.get(2 * PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new KafkaException("Cannot look up " + what, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while looking up " + what, e);
        }
    }

    @Override
    public void close() {
        consumer.close();
        admin.close(Duration.ofSeconds(1));
    }
}
