/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.topology.clients.TopicReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Bytes;

/**
 * Topics, changelogs and consumer groups, as readers of committed records see them: what a transaction has written
 * appears when it commits, all at once.
 */
final class SimulatedBroker implements TopicReader {
    /** Who wrote a record: a task in the life of an instance. */
    record Writer(int life, String task) {}

    /** A record that a task has written, in the order of all tasks' commits. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Written(Writer writer, String topic, byte[] key, byte[] value, Headers headers) {}

    private final Map<String, Topic> topics = new TreeMap<>();
    private final Map<String, Map<TopicPartition, Long>> positions = new TreeMap<>();
    private final Map<String, NavigableMap<Bytes, byte[]>> changelogs = new TreeMap<>();
    private final List<Written> written = new ArrayList<>();
    private int topicsCreated;

    private static final class Topic {
        private final String id;
        private final Map<Integer, List<ConsumerRecord<byte[], byte[]>>> partitions = new TreeMap<>();
        private final Map<Integer, Long> ends = new HashMap<>();

        Topic(String id) {
            this.id = id;
        }
    }

    private Topic topic(String name) {
        return topics.computeIfAbsent(name, unknown -> new Topic(name + "#" + topicsCreated++));
    }

    /** Appends a committed record; returns its offset. */
    long append(String name, int partition, byte[] key, byte[] value, Headers headers, long timestamp) {
        Topic topic = topic(name);
        long offset = topic.ends.merge(partition, 1L, Long::sum) - 1;
        topic.partitions
                .computeIfAbsent(partition, unknown -> new ArrayList<>())
                .add(new ConsumerRecord<>(
                        name,
                        partition,
                        offset,
                        timestamp,
                        TimestampType.CREATE_TIME,
                        key == null ? -1 : key.length,
                        value == null ? -1 : value.length,
                        key,
                        value,
                        new RecordHeaders(headers),
                        Optional.empty()));
        return offset;
    }

    /** Notes what a task has written and committed. */
    void note(Written record) {
        written.add(record);
    }

    /** Everything that tasks have written to topics, in the order of their commits. */
    List<Written> written() {
        return written;
    }

    /** The first record of a partition at an offset or after it. */
    Optional<ConsumerRecord<byte[], byte[]>> next(TopicPartition partition, long offset) {
        List<ConsumerRecord<byte[], byte[]>> records = records(partition);
        int low = 0;
        int high = records.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (records.get(middle).offset() < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == records.size() ? Optional.empty() : Optional.of(records.get(low));
    }

    List<ConsumerRecord<byte[], byte[]>> records(TopicPartition partition) {
        return topic(partition.topic()).partitions.getOrDefault(partition.partition(), List.of());
    }

    /** Keeps only the latest record of each key. */
    void compact(String name) {
        for (List<ConsumerRecord<byte[], byte[]>> records :
                topic(name).partitions.values()) {
            Map<Bytes, Long> latest = new HashMap<>();
            records.forEach(found -> latest.put(Bytes.wrap(found.key()), found.offset()));
            records.removeIf(found -> latest.get(Bytes.wrap(found.key())) != found.offset());
        }
    }

    /** Deletes a topic and creates it again. Brokers forget the groups' positions in a deleted topic. */
    void createAnew(String name) {
        topics.remove(name);
        topic(name);
        positions
                .values()
                .forEach(group ->
                        group.keySet().removeIf(partition -> partition.topic().equals(name)));
    }

    /** Where a group continues in a partition. */
    long position(String group, TopicPartition partition) {
        return positions.getOrDefault(group, Map.of()).getOrDefault(partition, 0L);
    }

    void commitPosition(String group, TopicPartition partition, long offset) {
        positions.computeIfAbsent(group, unknown -> new HashMap<>()).put(partition, offset);
    }

    /** The committed contents of a changelog's partition. */
    NavigableMap<Bytes, byte[]> changelog(String name) {
        return changelogs.computeIfAbsent(name, unknown -> new TreeMap<>());
    }

    /** All changelogs' partitions by name. */
    Map<String, NavigableMap<Bytes, byte[]>> changelogs() {
        return changelogs;
    }

    @Override
    public Contents read(String name) {
        return new Contents(topicId(name), end(name), List.copyOf(records(new TopicPartition(name, 0))));
    }

    @Override
    public long begin(String name) {
        return 0;
    }

    @Override
    public long end(String name) {
        return end(new TopicPartition(name, 0));
    }

    long end(TopicPartition partition) {
        return topic(partition.topic()).ends.getOrDefault(partition.partition(), 0L);
    }

    @Override
    public boolean hasHadRecords(String name) {
        return topic(name).ends.values().stream().anyMatch(end -> end > 0);
    }

    @Override
    public String topicId(String name) {
        return topic(name).id;
    }

    @Override
    public boolean hasRead(String group, String name) {
        return positions.getOrDefault(group, Map.of()).keySet().stream()
                .anyMatch(partition -> partition.topic().equals(name));
    }

    @Override
    public void close() {}
}
