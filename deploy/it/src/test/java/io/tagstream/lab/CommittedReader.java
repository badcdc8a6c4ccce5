/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads the committed records of topics, from the beginning.
 *
 * <p><i>Threading notes.</i> For use by one thread.
 */
final class CommittedReader implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<TopicPartition> partitions;

    CommittedReader(TagstreamConfig config, Collection<String> topics) {
        String servers = String.join(",", config.getList(TagstreamConfig.BOOTSTRAP_SERVERS));
        admin = Admin.create(Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers));
        consumer = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        servers,
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        "read_committed",
                        ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
                        100),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** The records since the last call, in each partition's order; empty, after a short wait, if there are none. */
    Iterable<ConsumerRecord<byte[], byte[]>> poll() {
        return consumer.poll(POLL);
    }

    /**
     * Reads everything, once no transaction is open.
     *
     * @return records by topic, in the order of partitions and offsets
     * @throws IOException if a transaction stays open, or it does not reach the end in time
     */
    Map<String, List<ConsumerRecord<byte[], byte[]>>> readToEnd(Duration patience)
            throws IOException, InterruptedException, ExecutionException {
        long deadline = System.nanoTime() + patience.toNanos();
        Map<TopicPartition, Long> ends = ends(IsolationLevel.READ_UNCOMMITTED);
        Map<TopicPartition, Long> committed = ends(IsolationLevel.READ_COMMITTED);
        while (!committed.equals(ends)) {
            if (System.nanoTime() > deadline) {
                throw new IOException("A transaction has stayed open for %s: committed up to %s of %s"
                        .formatted(patience, committed, ends));
            }
            Thread.sleep(200);
            ends = ends(IsolationLevel.READ_UNCOMMITTED);
            committed = ends(IsolationLevel.READ_COMMITTED);
        }
        Map<String, List<ConsumerRecord<byte[], byte[]>>> records = new HashMap<>();
        while (!ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> found : poll()) {
                records.computeIfAbsent(found.topic(), topic -> new ArrayList<>())
                        .add(found);
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("Cannot read up to " + ends + " within " + patience);
            }
        }
        records.values()
                .forEach(all ->
                        all.sort(Comparator.<ConsumerRecord<byte[], byte[]>>comparingInt(ConsumerRecord::partition)
                                .thenComparingLong(ConsumerRecord::offset)));
        return records;
    }

    private Map<TopicPartition, Long> ends(IsolationLevel isolation) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> latest =
                partitions.stream().collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(latest, new ListOffsetsOptions(isolation))
                .all()
                .get()
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    @Override
    public void close() {
        consumer.close();
        admin.close();
    }
}
