/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.it.TestCluster;
import io.tagstream.lab.Fixture.Entry;
import io.tagstream.lab.Fixture.Topic;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes an empty cluster the one that a {@link Fixture} describes.
 *
 * <p><i>Offsets</i> are those of the fixture, because vocabulary epochs and the versions of images are offsets. Where
 * the fixture has no record, there is one of an aborted transaction, or the marker that ends it.
 *
 * <p><i>Topic ids</i> are the broker's to choose. Where a record names a topic by its id, the new id takes the place of
 * the old one; both have 22 characters.
 *
 * <p><i>Timestamps</i> are moved by the fixture's age, so that retention treats its records as new. Times inside values
 * stay as they are.
 */
final class FixtureLoader {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final byte[] FILLER = "filler".getBytes(StandardCharsets.UTF_8);

    private final Fixture fixture;
    private final TestCluster cluster;
    private final Admin admin;
    private final Map<String, String> newIds = new HashMap<>();
    private final long age;

    private FixtureLoader(Fixture fixture, TestCluster cluster, Admin admin) {
        this.fixture = fixture;
        this.cluster = cluster;
        this.admin = admin;
        this.age = System.currentTimeMillis() - fixture.head().writtenAt();
    }

    /** Loads a fixture into an empty cluster. */
    static void load(Fixture fixture, TestCluster cluster)
            throws IOException, InterruptedException, ExecutionException {
        try (Admin admin = Admin.create(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers()))) {
            new FixtureLoader(fixture, cluster, admin).load();
        }
    }

    private void load() throws IOException, InterruptedException, ExecutionException {
        new RegistryContents(cluster.registryUrl()).write(fixture.schemas());
        createTopics();
        Map<TopicPartition, Slots> partitions = new LinkedHashMap<>();
        for (Topic topic : fixture.topics()) {
            for (int number = 0; number < topic.partitions().size(); number++) {
                partitions.put(
                        new TopicPartition(topic.name(), number),
                        new Slots(topic.partitions().get(number)));
            }
        }
        fixture.entries()
                .forEach(entry -> partitions
                        .get(new TopicPartition(entry.topic(), entry.partition()))
                        .add(entry));
        write(partitions);
        deleteBeginnings();
        commitPositions();
    }

    private void createTopics() throws InterruptedException, ExecutionException {
        admin.createTopics(fixture.topics().stream()
                        .map(topic -> new NewTopic(
                                        topic.name(), topic.partitions().size(), (short) 1)
                                .configs(topic.settings()))
                        .toList())
                .all()
                .get();
        List<String> names = fixture.topics().stream().map(Topic::name).toList();
        var descriptions = admin.describeTopics(names).allTopicNames().get();
        fixture.topics()
                .forEach(topic -> newIds.put(
                        topic.id(), descriptions.get(topic.name()).topicId().toString()));
    }

    /** The offsets of a partition that are still to be filled: with an entry, or with nothing that anyone sees. */
    private static final class Slots {
        private final Map<Long, Entry> entries = new HashMap<>();
        private final Fixture.Partition bounds;
        private long next;
        private long lastGap = -1;
        private int gaps;

        Slots(Fixture.Partition bounds) {
            this.bounds = bounds;
        }

        void add(Entry entry) {
            entries.put(entry.offset(), entry);
        }

        void count() {
            for (long offset = bounds.start(); offset < bounds.end(); offset++) {
                if (!entries.containsKey(offset)) {
                    gaps++;
                    lastGap = offset;
                }
            }
        }

        /** What was deleted may be anything. */
        boolean isDeleted() {
            return next < bounds.start();
        }

        boolean isGap() {
            return next < bounds.end() && !isDeleted() && !entries.containsKey(next);
        }

        /** Whether the next offset is for the marker that ends the fillers' transaction. */
        boolean isMarker() {
            return next == lastGap;
        }
    }

    /**
     * Writes all partitions side by side: one producer writes entries, another one fills gaps in a single transaction,
     * whose end fills each partition's last gap. A partition with one gap has no room for a filler before that marker:
     * there the gap is the end of a transaction with the entry before it.
     */
    private void write(Map<TopicPartition, Slots> partitions)
            throws IOException, InterruptedException, ExecutionException {
        partitions.values().forEach(Slots::count);
        try (Producer<byte[], byte[]> entries = producer(Map.of());
                Producer<byte[], byte[]> fillers =
                        producer(Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "fixture-fillers"));
                Producer<byte[], byte[]> singles =
                        producer(Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "fixture-singles"))) {
            fillers.initTransactions();
            singles.initTransactions();
            fillers.beginTransaction();
            boolean wrote = true;
            while (wrote) {
                wrote = writeEntries(partitions, entries, slots -> slots.gaps == 1 && slots.next + 1 == slots.lastGap);
                entries.flush();
                wrote |= writeFillers(partitions, fillers);
                fillers.flush();
            }
            fillers.abortTransaction();
            singles.beginTransaction();
            partitions.forEach((partition, slots) -> {
                if (slots.gaps == 1) {
                    sendNext(partition, slots, singles);
                }
            });
            singles.commitTransaction();
            partitions.values().stream().filter(Slots::isMarker).forEach(slots -> slots.next++);
            awaitEnds(partitions);
            writeEntries(partitions, entries, slots -> false);
            entries.flush();
        }
        awaitEnds(partitions);
        partitions.forEach((partition, slots) -> {
            if (slots.next != slots.bounds.end()) {
                throw new IllegalStateException(
                        "Filled %s up to %d of %d".formatted(partition, slots.next, slots.bounds.end()));
            }
        });
    }

    private Producer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers());
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private interface Stop {
        boolean before(Slots slots);
    }

    private boolean writeEntries(Map<TopicPartition, Slots> partitions, Producer<byte[], byte[]> producer, Stop stop) {
        boolean wrote = false;
        for (Map.Entry<TopicPartition, Slots> each : partitions.entrySet()) {
            Slots slots = each.getValue();
            while (slots.next < slots.bounds.end() && !slots.isGap() && !stop.before(slots)) {
                sendNext(each.getKey(), slots, producer);
                wrote = true;
            }
        }
        return wrote;
    }

    private boolean writeFillers(Map<TopicPartition, Slots> partitions, Producer<byte[], byte[]> producer) {
        boolean wrote = false;
        for (Map.Entry<TopicPartition, Slots> each : partitions.entrySet()) {
            Slots slots = each.getValue();
            while (slots.isGap() && !slots.isMarker()) {
                sendNext(each.getKey(), slots, producer);
                wrote = true;
            }
        }
        return wrote;
    }

    private void sendNext(TopicPartition partition, Slots slots, Producer<byte[], byte[]> producer) {
        Entry entry = slots.entries.get(slots.next++);
        ProducerRecord<byte[], byte[]> written = entry == null
                ? new ProducerRecord<>(partition.topic(), partition.partition(), FILLER, FILLER)
                : new ProducerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        Math.max(0, entry.timestamp() + age),
                        Fixture.bytes(withNewIds(entry.key())),
                        Fixture.bytes(withNewIds(entry.value())));
        if (entry != null) {
            entry.headers().forEach(header -> written.headers().add(header.key(), Fixture.bytes(header.value())));
        }
        var unused = producer.send(written);
    }

    private String withNewIds(String text) {
        String changed = text;
        if (text != null) {
            for (Map.Entry<String, String> id : newIds.entrySet()) {
                changed = changed.replace(id.getKey(), id.getValue());
            }
        }
        return changed;
    }

    /** Waits until the partitions end where they have been filled: markers come after their transaction has ended. */
    private void awaitEnds(Map<TopicPartition, Slots> partitions)
            throws IOException, InterruptedException, ExecutionException {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        partitions.keySet().forEach(partition -> latest.put(partition, OffsetSpec.latest()));
        Map<TopicPartition, String> wrong = new HashMap<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        do {
            wrong.clear();
            admin.listOffsets(latest).all().get().forEach((partition, end) -> {
                long expected = partitions.get(partition).next;
                if (end.offset() != expected) {
                    wrong.put(partition, "ends at %d, not at %d".formatted(end.offset(), expected));
                }
            });
            if (System.nanoTime() > deadline) {
                throw new IOException("Partitions do not end where the fixture's do: " + wrong);
            }
        } while (!wrong.isEmpty());
    }

    private void deleteBeginnings() throws InterruptedException, ExecutionException {
        Map<TopicPartition, RecordsToDelete> beginnings = new HashMap<>();
        for (Topic topic : fixture.topics()) {
            for (int number = 0; number < topic.partitions().size(); number++) {
                long start = topic.partitions().get(number).start();
                if (start > 0) {
                    beginnings.put(new TopicPartition(topic.name(), number), RecordsToDelete.beforeOffset(start));
                }
            }
        }
        admin.deleteRecords(beginnings).all().get();
    }

    private void commitPositions() throws InterruptedException, ExecutionException {
        Map<String, Map<TopicPartition, OffsetAndMetadata>> groups = new HashMap<>();
        fixture.positions()
                .forEach(position -> groups.computeIfAbsent(position.group(), group -> new HashMap<>())
                        .put(
                                new TopicPartition(position.topic(), position.partition()),
                                new OffsetAndMetadata(position.offset(), position.metadata())));
        for (Map.Entry<String, Map<TopicPartition, OffsetAndMetadata>> group : groups.entrySet()) {
            admin.alterConsumerGroupOffsets(group.getKey(), group.getValue())
                    .all()
                    .get();
        }
    }
}
