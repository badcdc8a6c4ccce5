/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.TopicLosses;
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
                requirement(TagstreamConfig.CONTROL_TOPIC, 1, true, compacted),
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
        Optional<Map<String, Map<String, String>>> settings = settings(admin, existing.keySet());
        for (Requirement requirement : requirements) {
            TopicDescription topic = existing.get(requirement.topic());
            if (topic != null) {
                Optional<Map<String, String>> found = settings.map(all -> all.get(requirement.topic()));
                requirement.misfit(topic.partitions().size(), found, limit).ifPresent(misfit -> {
                    throw OperatorException.failed(misfit);
                });
            }
        }

        List<Requirement> missing = requirements.stream()
                .filter(requirement -> !existing.containsKey(requirement.topic()))
                .toList();
        if (!missing.isEmpty() && !config.getBoolean(TagstreamConfig.TOPICS_CREATE)) {
            throw OperatorException.failed(("missing topics: %s; create them, or set topics.create=true so that"
                            + " Tagstream does")
                    .formatted(String.join(
                            ", ", missing.stream().map(TopicProvisioner::wanted).toList())));
        }
        if (!existing.isEmpty()) {
            tellOfLosses(missing);
        }
        create(admin, missing);
    }

    private void tellOfLosses(List<Requirement> missing) {
        Map<String, String> losses = TopicLosses.of(config);
        missing.forEach(requirement -> log.warn(
                "Topic {} does not exist, but others of Tagstream's do. If it was deleted: {}",
                requirement.topic(),
                losses.get(requirement.topic())));
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

    /** The topics' settings by topic and name; empty if they may not be read. */
    private Optional<Map<String, Map<String, String>>> settings(Admin admin, Collection<String> topics) {
        List<ConfigResource> resources = topics.stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        try {
            Map<String, Map<String, String>> settings = new HashMap<>();
            await(admin.describeConfigs(resources).all())
                    .forEach((resource, found) -> settings.put(resource.name(), values(found)));
            return Optional.of(settings);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                log.warn("Not allowed to read the settings of topics, so they are not checked");
                return Optional.empty();
            }
            throw failed("the settings of topics cannot be read", e.getCause());
        }
    }

    /** A topic's settings by name. */
    static Map<String, String> values(Config settings) {
        Map<String, String> values = new HashMap<>();
        settings.entries().forEach(entry -> values.put(entry.name(), entry.value()));
        return values;
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
                    .configs(requirement.settings(limit)));
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
