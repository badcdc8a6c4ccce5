/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * What the cluster says of an application's input.
 *
 * @param offsets of each partition
 * @param owners the members that partitions are assigned to; none while the group rebalances
 * @param members the client ids of the group's members, by member id
 */
record ClusterView(
        Map<TopicPartition, Offsets> offsets, Map<TopicPartition, String> owners, Map<String, String> members) {
    /**
     * Offsets of a partition.
     *
     * @param committed by the group
     * @param beginning of the first record
     * @param stable after the last record that readers of committed records may see
     * @param end after the last record
     */
    record Offsets(OptionalLong committed, long beginning, long stable, long end) {}

    /** The partitions that the cluster has. */
    Set<TopicPartition> partitions() {
        return offsets.keySet();
    }
}
