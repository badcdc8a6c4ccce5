/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import io.tagstream.topology.waits.ClusterView.Offsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads an application's offsets and the owners of its partitions from the cluster.
 *
 * <p><i>Threading notes.</i> {@link #read} is called by one thread at a time.
 */
final class ClusterReader implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterReader.class);
    private static final int PATIENCE_MILLIS = 5_000;

    private final Admin admin;
    private final String group;
    private final List<String> topics;

    /** The number of partitions of the topics that exist; it never changes. */
    private final Map<String, Integer> partitions = new HashMap<>();

    /**
     * @param settings of Kafka's clients
     * @param group the application's consumer group
     * @param topics its input; some may not exist yet
     */
    ClusterReader(Map<String, Object> settings, String group, List<String> topics) {
        Map<String, Object> own = new HashMap<>(settings);
        own.put(AdminClientConfig.CLIENT_ID_CONFIG, group + "-tagging-health");
        own.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        own.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        this.admin = Admin.create(own);
        this.group = group;
        this.topics = List.copyOf(topics);
    }

    /** Asks the cluster; blocks for at most some seconds for each of a few requests. */
    ClusterView read() throws ExecutionException, TimeoutException, InterruptedException {
        List<TopicPartition> all = partitions();
        Map<TopicPartition, OffsetAndMetadata> committed =
                await(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        Map<TopicPartition, Long> stable = offsets(all, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
        Map<TopicPartition, Long> end = offsets(all, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
        List<TopicPartition> untouched =
                all.stream().filter(each -> committed.get(each) == null).toList();
        Map<TopicPartition, Long> beginning =
                offsets(untouched, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED);
        Map<TopicPartition, Offsets> offsets = new HashMap<>();
        for (TopicPartition each : all) {
            OffsetAndMetadata commit = committed.get(each);
            offsets.put(
                    each,
                    new Offsets(
                            commit == null ? OptionalLong.empty() : OptionalLong.of(commit.offset()),
                            beginning.getOrDefault(each, 0L),
                            stable.get(each),
                            end.get(each)));
        }
        Map<TopicPartition, String> owners = new HashMap<>();
        Map<String, String> members = new HashMap<>();
        for (MemberDescription member : members()) {
            members.put(member.consumerId(), member.clientId());
            member.assignment().topicPartitions().forEach(owned -> owners.put(owned, member.consumerId()));
        }
        return new ClusterView(offsets, owners, members);
    }

    private List<MemberDescription> members() throws TimeoutException, InterruptedException {
        try {
            return List.copyOf(
                    await(admin.describeConsumerGroups(List.of(group)).all())
                            .get(group)
                            .members());
        } catch (ExecutionException e) { // no such group yet, or one of another kind
            log.debug("Group {} cannot be described", group, e);
            return List.of();
        }
    }

    private List<TopicPartition> partitions() throws ExecutionException, TimeoutException, InterruptedException {
        List<TopicPartition> all = new ArrayList<>();
        for (String topic : topics) {
            Integer known = partitions.get(topic);
            if (known == null) {
                known = count(topic);
            }
            for (int partition = 0; partition < known; partition++) {
                all.add(new TopicPartition(topic, partition));
            }
        }
        return all;
    }

    /** The number of a topic's partitions; 0 while it does not exist. */
    private int count(String topic) throws ExecutionException, TimeoutException, InterruptedException {
        try {
            TopicDescription description =
                    await(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
            partitions.put(topic, description.partitions().size());
            return description.partitions().size();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return 0;
            }
            throw e;
        }
    }

    private Map<TopicPartition, Long> offsets(List<TopicPartition> all, OffsetSpec spec, IsolationLevel isolation)
            throws ExecutionException, TimeoutException, InterruptedException {
        if (all.isEmpty()) {
            return Map.of();
        }
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        all.forEach(each -> asked.put(each, spec));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> found = await(
                admin.listOffsets(asked, new ListOffsetsOptions(isolation)).all());
        found.forEach((each, info) -> offsets.put(each, info.offset()));
        return offsets;
    }

    private static <T> T await(KafkaFuture<T> answer)
            throws ExecutionException, TimeoutException, InterruptedException {
        return answer.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
