/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.topology.clients.TopicReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Bytes;

/** Topics in memory. A topic that nobody has written to exists and is empty. */
final class FakeTopics implements TopicReader {
    private final Map<String, Topic> topics = new HashMap<>();

    private static final class Topic {
        private final String id = Uuid.randomUuid().toString();
        private final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        private long begin;
        private long end;
        private boolean read;
    }

    private Topic topic(String name) {
        return topics.computeIfAbsent(name, unknown -> new Topic());
    }

    /** Appends a record and returns it. */
    ConsumerRecord<byte[], byte[]> append(String name, byte[] key, byte[] value) {
        Topic topic = topic(name);
        ConsumerRecord<byte[], byte[]> appended = new ConsumerRecord<>(name, 0, topic.end++, key, value);
        topic.records.add(appended);
        return appended;
    }

    /** Keeps only the latest record of each key. */
    void compact(String name) {
        Topic topic = topic(name);
        Map<Bytes, Long> latest = new HashMap<>();
        topic.records.forEach(found -> latest.put(Bytes.wrap(found.key()), found.offset()));
        topic.records.removeIf(found -> latest.get(Bytes.wrap(found.key())) != found.offset());
    }

    /** Removes records from a topic's end, as when a broker that did not have them is elected leader. */
    void truncate(String name, long end) {
        Topic topic = topic(name);
        topic.records.removeIf(found -> found.offset() >= end);
        topic.end = end;
    }

    /** Deletes a topic's records. */
    void empty(String name) {
        Topic topic = topic(name);
        topic.records.clear();
        topic.begin = topic.end;
    }

    /** Deletes a topic and recreates it. */
    void createAnew(String name) {
        topics.put(name, new Topic());
    }

    /** The records in a topic. */
    List<ConsumerRecord<byte[], byte[]>> records(String name) {
        return List.copyOf(topic(name).records);
    }

    @Override
    public Contents read(String name) {
        return new Contents(topicId(name), end(name), records(name));
    }

    @Override
    public long begin(String name) {
        return topic(name).begin;
    }

    @Override
    public long end(String name) {
        return topic(name).end;
    }

    @Override
    public boolean hasHadRecords(String name) {
        return topic(name).end > 0;
    }

    @Override
    public String topicId(String name) {
        return topic(name).id;
    }

    @Override
    public boolean hasRead(String group, String name) {
        return topic(name).read;
    }

    /** Commits, for any group, that it has read from a topic. */
    void commitPosition(String name) {
        topic(name).read = true;
    }

    @Override
    public void close() {}
}
