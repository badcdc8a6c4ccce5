/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.RecordLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
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
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes sure that every topic exists with the settings that Tagstream depends on: it creates missing ones, or refuses
 * and says which. It never changes existing topics.
 */
public final class TopicProvisioner {
    private static final Logger log = LoggerFactory.getLogger(TopicProvisioner.class);

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration CHANGES_RETENTION = Duration.ofDays(7);
    private static final Duration FAILURES_RETENTION = Duration.ofDays(30);
    /** An instance that was away for less than this still sees every marker. */
    private static final Duration EMBEDDINGS_COMPACTION_LAG = Duration.ofMinutes(10);

    private final TagstreamConfig config;
    private final RecordLimit limit;
    private final List<Requirement> requirements;

    /** A topic, and what Tagstream needs of it: {@code settings} are those to create it with. */
    record Requirement(
            String key, String topic, int partitions, boolean exactPartitions, Map<String, String> settings) {
        boolean compacted() {
            return TopicConfig.CLEANUP_POLICY_COMPACT.equals(settings.get(TopicConfig.CLEANUP_POLICY_CONFIG));
        }

        /** Whether Tagstream writes to the topic; others write to images and labels. */
        boolean written() {
            return !key.equals(TagstreamConfig.IMAGES_TOPIC) && !key.equals(TagstreamConfig.LABELS_TOPIC);
        }
    }

    private TopicProvisioner(TagstreamConfig config) {
        this.config = config;
        this.limit = RecordLimit.of(config);
        int partitions = config.getInt(TopicKeys.TOPICS_PARTITIONS);
        Map<String, String> compacted = Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
        Map<String, String> embeddings = new HashMap<>(compacted);
        embeddings.put(TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, Long.toString(EMBEDDINGS_COMPACTION_LAG.toMillis()));
        // Kafka Streams cannot read a record without a timestamp, so no producer may be able to write one.
        embeddings.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
        // A deletion makes earlier failures out of date, so it is kept for as long as they are.
        Map<String, String> tags = new HashMap<>(compacted);
        tags.put(TopicConfig.DELETE_RETENTION_MS_CONFIG, Long.toString(FAILURES_RETENTION.toMillis()));
        requirements = List.of(
                requirement(TagstreamConfig.IMAGES_TOPIC, partitions, false, Map.of()),
                requirement(TagstreamConfig.LABELS_TOPIC, 1, true, compacted),
                requirement(TagstreamConfig.EMBEDDINGS_TOPIC, 1, true, embeddings),
                requirement(TagstreamConfig.TAGS_TOPIC, partitions, false, tags),
                requirement(TagstreamConfig.TAG_CHANGES_TOPIC, partitions, false, retained(CHANGES_RETENTION)),
                requirement(TagstreamConfig.IMAGE_FAILURES_TOPIC, partitions, false, retained(FAILURES_RETENTION)),
                requirement(TagstreamConfig.LABEL_FAILURES_TOPIC, 1, false, retained(FAILURES_RETENTION)),
                requirement(TagstreamConfig.DEAD_LETTERS_TOPIC, 1, false, retained(FAILURES_RETENTION)));
    }

    /** Every topic that Tagstream needs, and what it needs of each. */
    static List<Requirement> requirements(TagstreamConfig config) {
        return new TopicProvisioner(config).requirements;
    }

    private Requirement requirement(String key, int partitions, boolean exact, Map<String, String> settings) {
        return new Requirement(key, config.topic(key), partitions, exact, settings);
    }

    private static Map<String, String> retained(Duration retention) {
        return Map.of(
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_DELETE,
                TopicConfig.RETENTION_MS_CONFIG,
                Long.toString(retention.toMillis()));
    }

    /**
     * Checks the topics that exist and creates those that do not.
     *
     * @throws OperatorException if the cluster does not answer, a topic is missing and may not be created, or an
     *     existing one has settings that Tagstream cannot work with
     */
    public static void provision(TagstreamConfig config) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        try (Admin admin = Admin.create(settings)) {
            new TopicProvisioner(config).provision(admin);
        } catch (KafkaException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw OperatorException.failed(
                    "no connection to the Kafka cluster at %s: %s; check bootstrap.servers and kafka.*"
                            .formatted(ClusterTrouble.servers(config), cause.getMessage()),
                    e);
        }
    }

    private void provision(Admin admin) {
        Map<String, TopicDescription> existing = describe(admin);
        requirements.forEach(requirement -> {
            TopicDescription topic = existing.get(requirement.topic());
            if (topic != null) {
                checkPartitions(requirement, topic);
            }
        });
        checkSettings(admin, existing.keySet());

        List<Requirement> missing = requirements.stream()
                .filter(requirement -> !existing.containsKey(requirement.topic()))
                .toList();
        if (!missing.isEmpty() && !config.getBoolean(TopicKeys.TOPICS_CREATE)) {
            throw OperatorException.failed(("missing topics: %s; create them, or set topics.create=true so that"
                            + " Tagstream does")
                    .formatted(String.join(
                            ", ", missing.stream().map(TopicProvisioner::wanted).toList())));
        }
        create(admin, missing);
    }

    private Map<String, TopicDescription> describe(Admin admin) {
        Map<String, TopicDescription> existing = new HashMap<>();
        Collection<String> names =
                requirements.stream().map(Requirement::topic).distinct().toList();
        admin.describeTopics(names).topicNameValues().forEach((name, description) -> {
            try {
                existing.put(name, await(description));
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw failed("topic " + name + " cannot be looked up", e.getCause());
                }
            }
        });
        return existing;
    }

    private static void checkPartitions(Requirement requirement, TopicDescription topic) {
        int partitions = topic.partitions().size();
        if (requirement.exactPartitions() && partitions != requirement.partitions()) {
            throw OperatorException.failed(
                    ("topic %s has %d partitions but needs exactly %d, because its records must be read in order; name"
                                    + " another topic with %s")
                            .formatted(requirement.topic(), partitions, requirement.partitions(), requirement.key()));
        }
    }

    private void checkSettings(Admin admin, Collection<String> existing) {
        List<Requirement> present = requirements.stream()
                .filter(requirement -> existing.contains(requirement.topic()))
                .toList();
        List<ConfigResource> resources = present.stream()
                .map(requirement -> new ConfigResource(ConfigResource.Type.TOPIC, requirement.topic()))
                .toList();
        Map<ConfigResource, Config> configs;
        try {
            configs = await(admin.describeConfigs(resources).all());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                log.warn("Not allowed to read the settings of topics, so they are not checked");
                return;
            }
            throw failed("the settings of topics cannot be read", e.getCause());
        }
        for (Requirement requirement : present) {
            Config settings = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, requirement.topic()));
            if (requirement.compacted()) {
                checkCleanup(requirement, setting(settings, TopicConfig.CLEANUP_POLICY_CONFIG));
            }
            if (requirement.written()) {
                checkSize(requirement, setting(settings, TopicConfig.MAX_MESSAGE_BYTES_CONFIG));
            }
        }
    }

    private static String setting(Config settings, String name) {
        return Optional.ofNullable(settings)
                .map(all -> all.get(name))
                .map(ConfigEntry::value)
                .orElse("");
    }

    private static void checkCleanup(Requirement requirement, String policy) {
        if (!policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
            throw OperatorException.failed(
                    ("topic %s has cleanup.policy=%s but needs compact, because otherwise its records expire; change"
                                    + " the policy, or name another topic with %s")
                            .formatted(requirement.topic(), policy, requirement.key()));
        }
    }

    /** A record that the producer accepts but the broker refuses would be retried again and again. */
    private void checkSize(Requirement requirement, String largestBatch) {
        if (!largestBatch.isEmpty() && Long.parseLong(largestBatch) < limit.bytes()) {
            throw OperatorException.failed(
                    ("topic %s has max.message.bytes=%s, but records may have up to %d bytes; set max.message.bytes to"
                                    + " %d or more, or kafka.max.request.size to %s or less")
                            .formatted(
                                    requirement.topic(),
                                    largestBatch,
                                    limit.bytes(),
                                    limit.batchBytes(),
                                    largestBatch));
        }
    }

    private void create(Admin admin, List<Requirement> missing) {
        short replication = config.getShort(TagstreamConfig.TOPICS_REPLICATION_FACTOR);
        List<NewTopic> topics = new ArrayList<>();
        for (Requirement requirement : missing) {
            log.info("Creating topic {}", wanted(requirement));
            topics.add(new NewTopic(
                            requirement.topic(),
                            Optional.of(requirement.partitions()),
                            replication < 0 ? Optional.empty() : Optional.of(replication))
                    .configs(settings(requirement)));
        }
        admin.createTopics(topics).values().forEach((name, created) -> {
            try {
                await(created);
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) { // another instance may start at the same time
                    throw failed("topic " + name + " cannot be created", e.getCause());
                }
            }
        });
    }

    private Map<String, String> settings(Requirement requirement) {
        Map<String, String> settings = new HashMap<>(requirement.settings());
        if (limit.exceedsBrokersDefault()) {
            settings.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(limit.batchBytes()));
        }
        return settings;
    }

    private static String wanted(Requirement requirement) {
        return "%s (%d partition%s, %s)"
                .formatted(
                        requirement.topic(),
                        requirement.partitions(),
                        requirement.partitions() == 1 ? "" : "s",
                        requirement.compacted() ? "compacted" : "not compacted");
    }

    private <T> T await(KafkaFuture<T> future) throws ExecutionException {
        try {
            return future.get(PATIENCE.toMillis() * 2, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw failed("no answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("interrupted", e);
        }
    }

    private OperatorException failed(String what, Throwable cause) {
        if (cause instanceof org.apache.kafka.common.errors.TimeoutException || cause instanceof TimeoutException) {
            return OperatorException.unavailable(
                    ("no Kafka cluster answers at %s within %d s; check bootstrap.servers and kafka.*, and that the"
                                    + " cluster is running")
                            .formatted(ClusterTrouble.servers(config), PATIENCE.toSeconds()),
                    cause);
        }
        return OperatorException.failed(
                "%s on the Kafka cluster at %s: %s".formatted(what, ClusterTrouble.servers(config), cause.getMessage()),
                cause);
    }
}
