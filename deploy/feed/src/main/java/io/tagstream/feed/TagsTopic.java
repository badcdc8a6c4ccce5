/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.topology.config.TagstreamConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;

/**
 * The properties of the tags topic that an index depends on.
 *
 * @param id changes when the topic is deleted and created again
 * @param deleteRetention how long a deletion stays readable at least; a later reader may never see it
 */
public record TagsTopic(String name, String id, int partitions, Duration deleteRetention) {
    private static final int PATIENCE_MILLIS = 15_000;
    /** Kafka's own default, for clusters where the settings may not be read. */
    private static final Duration DEFAULT_RETENTION = Duration.ofDays(1);

    /** An admin client that gives up soon enough to tell the user. */
    static Admin admin(TagstreamConfig config) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        return Admin.create(settings);
    }

    /**
     * Looks the topic up.
     *
     * @throws KafkaException if it does not exist or the cluster does not answer
     */
    static TagsTopic find(Admin admin, String name) {
        try {
            TopicDescription description =
                    admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
            return new TagsTopic(
                    name,
                    description.topicId().toString(),
                    description.partitions().size(),
                    deleteRetention(admin, name));
        } catch (ExecutionException e) {
            throw failure(name, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static Duration deleteRetention(Admin admin, String name) throws InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        try {
            Config settings =
                    admin.describeConfigs(List.of(resource)).all().get().get(resource);
            return Duration.ofMillis(Long.parseLong(
                    settings.get(TopicConfig.DELETE_RETENTION_MS_CONFIG).value()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                return DEFAULT_RETENTION;
            }
            throw failure(name, e);
        }
    }

    private static KafkaException failure(String name, ExecutionException e) {
        return e.getCause() instanceof KafkaException known
                ? known
                : new KafkaException("Topic " + name + " cannot be looked up", e.getCause());
    }

    private static KafkaException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new KafkaException("Interrupted while looking up a topic", e);
    }
}
