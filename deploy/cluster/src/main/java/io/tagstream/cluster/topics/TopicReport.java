/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.RecordLimit;
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
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tagstream's topics as they are, compared with how Tagstream would create them. */
public final class TopicReport {
    private static final Logger log = LoggerFactory.getLogger(TopicReport.class);
    private static final int PATIENCE_MILLIS = 15_000;
    private static final List<String> SETTINGS = List.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.RETENTION_MS_CONFIG,
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG,
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG);

    private final TagstreamConfig config;
    private final RecordLimit limit;
    private final Admin admin;

    private TopicReport(TagstreamConfig config, Admin admin) {
        this.config = config;
        this.limit = RecordLimit.of(config);
        this.admin = admin;
    }

    /**
     * A topic.
     *
     * @param key the configuration key that names it
     * @param partitions how many partitions it has; 0 if it is missing
     * @param wantedPartitions how many partitions it would be created with
     * @param misfit why Tagstream cannot work with it; empty if it can, or if the topic is missing
     * @param offsets how many offsets are kept, which is at least the number of its records
     * @param settings the settings that Tagstream would create it with, and what they are now
     */
    public record Topic(
            String key,
            String name,
            int partitions,
            int wantedPartitions,
            Optional<String> misfit,
            long offsets,
            List<Setting> settings) {
        /** Whether it exists and Tagstream can work with it. */
        public boolean fit() {
            return partitions > 0 && misfit.isEmpty();
        }
    }

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
        for (Requirement requirement : TopicProvisioner.requirements(config)) {
            topics.add(topic(requirement));
        }
        return topics;
    }

    private Topic topic(Requirement requirement) {
        Optional<TopicDescription> description = description(requirement.topic());
        Optional<Map<String, String>> found =
                description.isPresent() ? settings(requirement.topic()) : Optional.empty();
        int partitions = description.map(topic -> topic.partitions().size()).orElse(0);
        Optional<String> misfit = description.flatMap(topic -> requirement.misfit(partitions, found, limit));
        Map<String, String> wanted = requirement.settings(limit);
        List<Setting> settings = SETTINGS.stream()
                .filter(wanted::containsKey)
                .map(name -> new Setting(name, wanted.get(name), found.map(all -> all.get(name))))
                .toList();
        return new Topic(
                requirement.key(),
                requirement.topic(),
                partitions,
                requirement.partitions(),
                misfit,
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

    /** A topic's settings by name; empty if they may not be read. */
    private Optional<Map<String, String>> settings(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try {
            return Optional.of(TopicProvisioner.values(
                    await(admin.describeConfigs(List.of(resource)).values().get(resource))));
        } catch (AuthorizationException e) {
            log.debug("The settings of {} may not be read", topic, e);
            return Optional.empty();
        }
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
