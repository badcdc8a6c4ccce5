/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.topology.config.TagstreamConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Tagstream's topics as they are, compared with how Tagstream would create them. */
public final class TopicReport {
    private static final int PATIENCE_MILLIS = 15_000;
    private static final List<String> SETTINGS = List.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.RETENTION_MS_CONFIG,
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG,
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG);

    private final TagstreamConfig config;
    private final Admin admin;

    private TopicReport(TagstreamConfig config, Admin admin) {
        this.config = config;
        this.admin = admin;
    }

    /**
     * A topic.
     *
     * @param key the configuration key that names it
     * @param partitions how many partitions it has; 0 if it is missing
     * @param wantedPartitions how many partitions it would be created with
     * @param fit whether Tagstream can work with it
     * @param offsets how many offsets are kept, which is at least the number of its records
     * @param settings the settings that Tagstream would create it with, and what they are now
     */
    public record Topic(
            String key,
            String name,
            int partitions,
            int wantedPartitions,
            boolean fit,
            long offsets,
            List<Setting> settings) {}

    /**
     * A setting.
     *
     * @param found the current value; empty if the topic is missing or its settings may not be read
     */
    public record Setting(String name, String wanted, Optional<String> found) {
        /** Whether the current value is the wanted one. */
        public boolean asWanted() {
            return found.isPresent() && found.get().equals(wanted);
        }
    }

    /**
     * Returns a report on every topic.
     *
     * @throws KafkaException if the cluster does not answer
     */
    public static List<Topic> of(TagstreamConfig config) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        try (Admin admin = Admin.create(settings)) {
            return new TopicReport(config, admin).topics();
        }
    }

    private List<Topic> topics() {
        List<Topic> topics = new ArrayList<>();
        for (TopicProvisioner.Requirement requirement : TopicProvisioner.requirements(config)) {
            topics.add(topic(requirement));
        }
        return topics;
    }

    private Topic topic(TopicProvisioner.Requirement requirement) {
        Optional<TopicDescription> description = description(requirement.topic());
        Map<String, String> found = description.isPresent() ? settings(requirement.topic()) : Map.of();
        int partitions = description.map(topic -> topic.partitions().size()).orElse(0);
        List<Setting> settings = SETTINGS.stream()
                .filter(requirement.settings()::containsKey)
                .map(name -> new Setting(name, requirement.settings().get(name), Optional.ofNullable(found.get(name))))
                .toList();
        boolean rightPartitions = !requirement.exactPartitions() || partitions == requirement.partitions();
        boolean rightPolicy = !requirement.compacted()
                || TopicConfig.CLEANUP_POLICY_COMPACT.equals(found.get(TopicConfig.CLEANUP_POLICY_CONFIG));
        return new Topic(
                requirement.key(),
                requirement.topic(),
                partitions,
                requirement.partitions(),
                description.isPresent() && rightPartitions && rightPolicy,
                description.map(this::offsets).orElse(0L),
                settings);
    }

    private Optional<TopicDescription> description(String topic) {
        try {
            return Optional.of(
                    await(admin.describeTopics(List.of(topic)).topicNameValues().get(topic)));
        } catch (UnknownTopicOrPartitionException e) {
            return Optional.empty();
        }
    }

    private Map<String, String> settings(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config found = await(admin.describeConfigs(List.of(resource)).values().get(resource));
        Map<String, String> settings = new HashMap<>();
        found.entries().forEach(entry -> settings.put(entry.name(), entry.value()));
        return settings;
    }

    private long offsets(TopicDescription topic) {
        Map<TopicPartition, OffsetSpec> first = new HashMap<>();
        Map<TopicPartition, OffsetSpec> last = new HashMap<>();
        topic.partitions().forEach(partition -> {
            first.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.earliest());
            last.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.latest());
        });
        var beginnings = await(admin.listOffsets(first).all());
        var ends = await(admin.listOffsets(last).all());
        return ends.entrySet().stream()
                .mapToLong(end ->
                        end.getValue().offset() - beginnings.get(end.getKey()).offset())
                .sum();
    }

    private static <T> T await(KafkaFuture<T> future) {
        try {
            return future.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KafkaException known) {
                throw known;
            }
            throw new KafkaException(e.getCause());
        } catch (TimeoutException e) {
            throw new org.apache.kafka.common.errors.TimeoutException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while looking at topics", e);
        }
    }
}
