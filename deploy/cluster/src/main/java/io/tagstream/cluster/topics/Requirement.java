/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.RecordLimit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.TopicConfig;

/**
 * What Tagstream needs of a topic.
 *
 * @param key the configuration key that names the topic
 * @param partitions the number to create it with
 * @param exactPartitions whether it must have just that number
 * @param settings the settings to create it with
 */
record Requirement(String key, String topic, int partitions, boolean exactPartitions, Map<String, String> settings) {
    boolean compacted() {
        return TopicConfig.CLEANUP_POLICY_COMPACT.equals(settings.get(TopicConfig.CLEANUP_POLICY_CONFIG));
    }

    /** Whether Tagstream writes to the topic; others write to images and labels. */
    boolean written() {
        return !key.equals(TagstreamConfig.IMAGES_TOPIC) && !key.equals(TagstreamConfig.LABELS_TOPIC);
    }

    /**
     * Returns why Tagstream cannot work with the topic as it is; empty if it can.
     *
     * @param present how many partitions it has
     * @param found its settings by name; empty if they may not be read, and then they are not judged
     * @param limit the largest record that Tagstream writes
     */
    Optional<String> misfit(int present, Optional<Map<String, String>> found, RecordLimit limit) {
        if (exactPartitions && present != partitions) {
            return Optional.of(
                    "topic %s has %d partitions but needs exactly %d, because its records must be read in order; name another topic with %s"
                            .formatted(topic, present, partitions, key));
        }
        return found.flatMap(all -> wrongPolicy(all).or(() -> tooSmall(all, limit)));
    }

    private Optional<String> wrongPolicy(Map<String, String> found) {
        String policy = found.getOrDefault(TopicConfig.CLEANUP_POLICY_CONFIG, "");
        if (!compacted() || policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
            return Optional.empty();
        }
        return Optional.of(
                "topic %s has cleanup.policy=%s but needs compact, because otherwise its records expire; change the policy, or name another topic with %s"
                        .formatted(topic, policy, key));
    }

    /** A record that the producer accepts but the broker refuses would be retried again and again. */
    private Optional<String> tooSmall(Map<String, String> found, RecordLimit limit) {
        String largestBatch = found.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        if (!written() || largestBatch == null || Long.parseLong(largestBatch) >= limit.bytes()) {
            return Optional.empty();
        }
        return Optional.of(
                "topic %s has max.message.bytes=%s, but records may have up to %d bytes; set max.message.bytes to %d or more, or kafka.max.request.size to %s or less"
                        .formatted(topic, largestBatch, limit.bytes(), limit.batchBytes(), largestBatch));
    }

    /** The settings to create the topic with: larger records than brokers take by default need one more. */
    Map<String, String> settings(RecordLimit limit) {
        if (!limit.exceedsBrokersDefault()) {
            return settings;
        }
        Map<String, String> all = new HashMap<>(settings);
        all.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(limit.batchBytes()));
        return all;
    }
}
