/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The feed's end of Kafka: reads the tags topic and commits how much of it is in the index.
 *
 * <p>Each index has its own consumer group, with the index's id in its name, so a new index is filled from the
 * beginning. If a group has lost its offsets, it also starts from the beginning, which costs time but changes nothing.
 *
 * <p>Used by one thread.
 */
final class TagsReader implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TagsReader.class);
    private static final Duration CLOSING = Duration.ofSeconds(5);
    private static final int PATIENCE_MILLIS = 15_000;
    private static final int SESSION_MILLIS = 10_000;
    /** A record is kept both as read and as a document, which is larger. */
    private static final int COPIES = 3;

    private static final int RECORDS = 1_000;

    private final TagsTopic topic;
    private final Positions positions;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Queue<ConsumerRecord<byte[], byte[]>> read = new ArrayDeque<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();

    /** The end offsets of all partitions, as of {@code endsAt}; null until first asked for. */
    private Map<TopicPartition, Long> ends;

    private long endsAt;

    TagsReader(TagstreamConfig config, TagsTopic topic, TagIndex index, Positions positions) {
        this.topic = topic;
        this.positions = positions;
        Map<String, Object> settings = config.kafkaSettings();
        settings.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, RECORDS);
        // how long a killed instance's partitions wait for another instance
        settings.putIfAbsent(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_MILLIS);
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, group(config, index));
        settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic"); // whatever Kafka Streams is configured to use
        settings.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none"); // silently starting over could hide a loss
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(Set.of(topic.name()), new Assignment());
    }

    /** The consumer group that feeds an index. */
    static String group(TagstreamConfig config, TagIndex index) {
        return "%s-index-%s-%s".formatted(config.applicationId(), index.name(), index.uuid());
    }

    /** Takes over and gives up partitions; Kafka calls it from within {@link #poll}. */
    private final class Assignment implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            Map<TopicPartition, OffsetAndMetadata> known = consumer.committed(Set.copyOf(partitions));
            Map<TopicPartition, Long> last = consumer.endOffsets(partitions);
            for (TopicPartition partition : partitions) {
                OffsetAndMetadata offset = known.get(partition);
                if (offset == null) {
                    consumer.seekToBeginning(Set.of(partition));
                } else if (offset.offset() > last.get(partition)) {
                    throw shorter(partition, offset.offset(), last.get(partition));
                } else {
                    committed.put(partition, offset.offset());
                }
            }
            positions.assigned(partitions);
            log.info("Reading partitions {}", numbers(partitions));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit();
            onPartitionsLost(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            positions.revoked(partitions);
            partitions.forEach(committed::remove);
            read.removeIf(record -> !positions.isAssigned(partition(record)));
            log.info("No longer reading partitions {}", numbers(partitions));
        }
    }

    private static Object numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).sorted().toList();
    }

    private OperatorException shorter(TopicPartition partition, long offset, long end) {
        return OperatorException.failed(
                "partition %s was read up to offset %d but now ends at %d: topic %s was recreated or has lost records;"
                                .formatted(partition, offset, end, topic.name())
                        + " use --recreate to rebuild the index from what the topic holds now");
    }

    /**
     * Reads more if everything read so far has been taken; keeps in touch with the group in any case.
     *
     * @return whether there is something to take
     * @throws OperatorException if the topic is not the one it was
     */
    boolean poll(Duration patience) {
        boolean full = !read.isEmpty();
        if (full) {
            consumer.pause(consumer.assignment());
        } else {
            consumer.resume(consumer.paused());
        }
        try {
            consumer.poll(full ? Duration.ZERO : patience).forEach(read::add);
        } catch (OffsetOutOfRangeException e) {
            TopicPartition partition =
                    e.offsetOutOfRangePartitions().keySet().iterator().next();
            throw shorter(
                    partition,
                    e.offsetOutOfRangePartitions().get(partition),
                    consumer.endOffsets(Set.of(partition)).get(partition));
        } catch (KafkaException e) { // Kafka wraps what its callbacks throw
            throw e.getCause() instanceof OperatorException known ? known : e;
        }
        return !read.isEmpty();
    }

    /** The next record, which then awaits its outcome; null for none. */
    ConsumerRecord<byte[], byte[]> next() {
        ConsumerRecord<byte[], byte[]> record = read.poll();
        if (record != null) {
            int value = Math.max(0, record.serializedValueSize());
            positions.owe(partition(record), record.offset(), value * COPIES);
        }
        return record;
    }

    /** Whether there is something to take. */
    boolean hasNext() {
        return !read.isEmpty();
    }

    private static TopicPartition partition(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }

    /** Commits how much of every partition is in the index, where that is more than before. */
    void commit() {
        Map<TopicPartition, OffsetAndMetadata> due = new HashMap<>();
        for (TopicPartition partition : consumer.assignment()) {
            if (positions.isAssigned(partition)) {
                long settled = positions.settledUpTo(partition, readUpTo(partition));
                if (settled != committed.getOrDefault(partition, 0L)) {
                    due.put(partition, new OffsetAndMetadata(settled));
                }
            }
        }
        if (due.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(due);
            due.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        } catch (RetriableException | CommitFailedException e) {
            log.debug("Cannot commit; a later commit, or the partitions' next reader, makes up for it", e);
        }
    }

    /** The first offset of a partition that has not been taken by {@link #next}. */
    private long readUpTo(TopicPartition partition) {
        return read.stream()
                .filter(record -> partition(record).equals(partition))
                .mapToLong(ConsumerRecord::offset)
                .min()
                .orElseGet(() -> consumer.position(partition));
    }

    /** How many records of this instance's partitions are not in the index; empty while unknown. */
    OptionalLong lag() {
        long lag = read.size() + (long) positions.size();
        for (TopicPartition partition : consumer.assignment()) {
            OptionalLong unread = consumer.currentLag(partition);
            if (unread.isEmpty()) {
                return OptionalLong.empty();
            }
            lag += unread.getAsLong();
        }
        return OptionalLong.of(lag);
    }

    boolean isAssigned() {
        return !consumer.assignment().isEmpty();
    }

    /**
     * Whether the index has everything that the topic held a moment ago, according to the commits of all instances.
     *
     * @param moment how long ago that may be; the end offsets are requested at most once in that time
     */
    boolean isComplete(Duration moment) {
        commit();
        try {
            if (ends == null || System.nanoTime() - endsAt > moment.toNanos()) {
                endsAt = System.nanoTime();
                ends = consumer.endOffsets(partitions());
            }
            Map<TopicPartition, OffsetAndMetadata> known = consumer.committed(ends.keySet());
            return ends.entrySet().stream().allMatch(end -> {
                OffsetAndMetadata offset = known.get(end.getKey());
                return end.getValue() <= (offset == null ? 0 : offset.offset());
            });
        } catch (RetriableException e) {
            log.debug("Cannot tell yet whether the index is complete", e);
            return false;
        }
    }

    private Set<TopicPartition> partitions() {
        return IntStream.range(0, topic.partitions())
                .mapToObj(number -> new TopicPartition(topic.name(), number))
                .collect(Collectors.toSet());
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(CLOSING));
    }
}
