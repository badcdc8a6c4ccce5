/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.index;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/**
 * How far each partition has been dealt with: up to the first record that owes its outcome. Outcomes come in any order.
 * Used by one thread.
 */
final class Positions {
    private final Map<TopicPartition, TreeSet<Long>> owed = new HashMap<>();
    private int size;

    /** Partitions that are this feed's from now on. */
    void assigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> owed.putIfAbsent(partition, new TreeSet<>()));
    }

    /** Partitions that are somebody else's from now on, with what they owe. */
    void revoked(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> {
            TreeSet<Long> offsets = owed.remove(partition);
            size -= offsets == null ? 0 : offsets.size();
        });
    }

    boolean isAssigned(TopicPartition partition) {
        return owed.containsKey(partition);
    }

    /** A record owes its outcome from now on. */
    void owe(TopicPartition partition, long offset) {
        if (owed.get(partition).add(offset)) {
            size++;
        }
    }

    /** A record has its outcome. One of a partition that is somebody else's is ignored. */
    void settle(TopicPartition partition, long offset) {
        TreeSet<Long> offsets = owed.get(partition);
        if (offsets != null && offsets.remove(offset)) {
            size--;
        }
    }

    /** Whether a record of a partition that is this feed's still owes its outcome. */
    boolean owes(TopicPartition partition, long offset) {
        TreeSet<Long> offsets = owed.get(partition);
        return offsets != null && offsets.contains(offset);
    }

    /** How many records owe their outcome. */
    int size() {
        return size;
    }

    /**
     * The offset before which every record has its outcome.
     *
     * @param read the offset up to which the partition has been read
     */
    long settledUpTo(TopicPartition partition, long read) {
        TreeSet<Long> offsets = owed.get(partition);
        return offsets == null || offsets.isEmpty() ? read : Math.min(offsets.first(), read);
    }
}
