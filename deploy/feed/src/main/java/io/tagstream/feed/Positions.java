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
 * The progress of each partition: up to the first record without an outcome. Outcomes arrive in any order. Used by one
 * thread.
 */
final class Positions {
    /** By offset, the bytes that a record occupies here. */
    private final Map<TopicPartition, TreeMap<Long, Integer>> owed = new HashMap<>();

    private int size;
    private long bytes;

    /** Adds partitions that now belong to this feed. */
    void assigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> owed.putIfAbsent(partition, new TreeMap<>()));
    }

    /** Drops partitions that no longer belong to this feed, with their records that await an outcome. */
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
     * Adds a record that awaits its outcome.
     *
     * @param taken the bytes that it occupies here
     */
    void owe(TopicPartition partition, long offset, int taken) {
        Integer before = owed.get(partition).put(offset, taken);
        size += before == null ? 1 : 0;
        bytes += taken - (before == null ? 0 : before);
    }

    /** Removes a record that has its outcome. A record of another feed's partition is ignored. */
    void settle(TopicPartition partition, long offset) {
        TreeMap<Long, Integer> offsets = owed.get(partition);
        Integer taken = offsets == null ? null : offsets.remove(offset);
        if (taken != null) {
            size--;
            bytes -= taken;
        }
    }

    /** Whether a record of one of this feed's partitions still awaits its outcome. */
    boolean owes(TopicPartition partition, long offset) {
        TreeMap<Long, Integer> offsets = owed.get(partition);
        return offsets != null && offsets.containsKey(offset);
    }

    /** How many records await their outcome. */
    int size() {
        return size;
    }

    /** The bytes that they occupy. */
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
