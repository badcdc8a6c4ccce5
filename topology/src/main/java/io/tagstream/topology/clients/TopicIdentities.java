/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/**
 * Which topics there are under certain names, and where they begin. If either changes for a compacted topic, records
 * are lost: somebody has deleted the topic, or its first records. Whoever could write them again notes the identity
 * that has them all.
 *
 * <p><i>Threading notes.</i> May be used by any thread.
 */
public final class TopicIdentities {
    private final Set<String> topics;
    private final Map<TopicPartition, String> found = new ConcurrentHashMap<>();
    private final AtomicLong looks = new AtomicLong();

    /** Nothing is known about these topics yet. */
    public TopicIdentities(Set<String> topics) {
        this.topics = Set.copyOf(topics);
    }

    /** The topics whose identities are of interest. */
    public Set<String> topics() {
        return topics;
    }

    /** Notes what a partition is. */
    public void found(TopicPartition partition, String topicId, long begin) {
        found.put(partition, topicId + "@" + begin);
    }

    /** Notes that all topics have been looked at. */
    public void looked() {
        looks.incrementAndGet();
    }

    /** How many times the topics have been looked at. */
    public long looks() {
        return looks.get();
    }

    /** What a partition is; empty if that is not known. */
    public Optional<String> of(TopicPartition partition) {
        return Optional.ofNullable(found.get(partition));
    }

    /** What a topic is, all its partitions together; empty if that is not known. */
    public Optional<String> of(String topic) {
        Map<Integer, String> partitions = new TreeMap<>();
        found.forEach((partition, identity) -> {
            if (partition.topic().equals(topic)) {
                partitions.put(partition.partition(), identity);
            }
        });
        return partitions.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", partitions.values()));
    }
}
