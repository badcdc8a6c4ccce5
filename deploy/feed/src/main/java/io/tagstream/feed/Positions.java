/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * How far each partition has been dealt with: up to the first record that owes its outcome. Outcomes come in any order.
 * Used by one thread.
 */
final class Positions {
    /** By offset the bytes that a record takes here. */
    private final Map<TopicPartition, TreeMap<Long, Integer>> owed = new HashMap<>();

    private int size;
    private long bytes;

    /** Partitions that are this feed's from now on. */
    void assigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> owed.putIfAbsent(partition, new TreeMap<>()));
    }

    /** Partitions that are somebody else's from now on, with what they owe. */
    void revoked(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> {
            TreeMap<Long, Integer> offsets = owed.remove(partition);
            if (offsets != null) {
                size -= offsets.size();
                bytes -= offsets.values().stream().mapToLong(Integer::longValue).sum();
            }
        });
    }

    boolean isAssigned(TopicPartition partition) {
        return owed.containsKey(partition);
    }

    /**
     * A record owes its outcome from now on.
     *
     * @param taken the bytes that it takes here
     */
    void owe(TopicPartition partition, long offset, int taken) {
        Integer before = owed.get(partition).put(offset, taken);
        size += before == null ? 1 : 0;
        bytes += taken - (before == null ? 0 : before);
    }

    /** A record has its outcome. One of a partition that is somebody else's is ignored. */
    void settle(TopicPartition partition, long offset) {
        TreeMap<Long, Integer> offsets = owed.get(partition);
        Integer taken = offsets == null ? null : offsets.remove(offset);
        if (taken != null) {
            size--;
            bytes -= taken;
        }
    }

    /** Whether a record of a partition that is this feed's still owes its outcome. */
    boolean owes(TopicPartition partition, long offset) {
        TreeMap<Long, Integer> offsets = owed.get(partition);
        return offsets != null && offsets.containsKey(offset);
    }

    /** How many records owe their outcome. */
    int size() {
        return size;
    }

    /** The bytes that they take. */
    long bytes() {
        return bytes;
    }

    /**
     * The offset before which every record has its outcome.
     *
     * @param read the offset up to which the partition has been read
     */
    long settledUpTo(TopicPartition partition, long read) {
        TreeMap<Long, Integer> offsets = owed.get(partition);
        return offsets == null || offsets.isEmpty() ? read : Math.min(offsets.firstKey(), read);
    }
}
