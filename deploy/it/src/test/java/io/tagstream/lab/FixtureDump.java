/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.lab.Fixture.Entry;
import io.tagstream.lab.Fixture.Partition;
import io.tagstream.lab.Fixture.Position;
import io.tagstream.lab.Fixture.Topic;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** Reads what is on a cluster at rest, apart from the topics of the broker and the registry. */
final class FixtureDump implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final TagstreamConfig config;
    private final Admin admin;

    FixtureDump(TagstreamConfig config) {
        this.config = config;
        this.admin = Admin.create(config.kafkaSettings());
    }

    /** Waits until every transaction has ended: the broker ends those of a killed process when they time out. */
    void awaitTransactions() throws IOException, InterruptedException {
        Set<TransactionState> ended =
                EnumSet.of(TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT);
        boolean haveEnded = Awaiting.that(
                PATIENCE, () -> transactions().stream().allMatch(transaction -> ended.contains(transaction.state())));
        if (!haveEnded) {
            throw new IOException("Transactions are still open after %s: %s".formatted(PATIENCE, transactions()));
        }
    }

    /** Whether there is such a topic. */
    boolean exists(String topic) throws ExecutionException, InterruptedException {
        return admin.listTopics().names().get().contains(topic);
    }

    private Collection<TransactionListing> transactions() {
        try {
            return admin.listTransactions().all().get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("Cannot list transactions", e);
        }
    }

    /** Every topic, in the order of names. */
    List<Topic> topics() throws ExecutionException, InterruptedException {
        Set<String> names = new TreeSet<>(admin.listTopics().names().get());
        names.removeIf(name -> name.startsWith("_"));
        Map<String, TopicDescription> descriptions =
                admin.describeTopics(names).allTopicNames().get();
        Map<TopicPartition, ListOffsetsResultInfo> starts = offsets(descriptions.values(), OffsetSpec.earliest());
        Map<TopicPartition, ListOffsetsResultInfo> ends = offsets(descriptions.values(), OffsetSpec.latest());
        List<Topic> topics = new ArrayList<>();
        for (String name : names) {
            TopicDescription description = descriptions.get(name);
            List<Partition> partitions = new ArrayList<>();
            for (int number = 0; number < description.partitions().size(); number++) {
                TopicPartition partition = new TopicPartition(name, number);
                partitions.add(new Partition(
                        starts.get(partition).offset(), ends.get(partition).offset()));
            }
            topics.add(new Topic(name, description.topicId().toString(), settings(name), partitions));
        }
        return topics;
    }

    private Map<TopicPartition, ListOffsetsResultInfo> offsets(Collection<TopicDescription> topics, OffsetSpec which)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        topics.forEach(topic -> topic.partitions()
                .forEach(partition -> wanted.put(new TopicPartition(topic.name(), partition.partition()), which)));
        return admin.listOffsets(wanted).all().get();
    }

    private Map<String, String> settings(String topic) throws ExecutionException, InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Map<String, String> settings = new TreeMap<>();
        admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .forEach(entry -> settings.put(entry.name(), entry.value()));
        return settings;
    }

    /** Every committed record, in the order of topics, partitions and offsets. */
    List<Entry> entries(List<Topic> topics) throws IOException, ExecutionException, InterruptedException {
        Map<String, List<ConsumerRecord<byte[], byte[]>>> records;
        try (CommittedReader reader =
                new CommittedReader(config, topics.stream().map(Topic::name).toList())) {
            records = reader.readToEnd(PATIENCE);
        }
        return topics.stream()
                .flatMap(topic -> records.getOrDefault(topic.name(), List.of()).stream())
                .map(FixtureDump::entry)
                .toList();
    }

    private static Entry entry(ConsumerRecord<byte[], byte[]> found) {
        return new Entry(
                found.topic(),
                found.partition(),
                found.offset(),
                found.timestamp(),
                Fixture.text(found.key()),
                Fixture.text(found.value()),
                StreamSupport.stream(found.headers().spliterator(), false)
                        .map(header -> new Fixture.Header(header.key(), Fixture.text(header.value())))
                        .toList());
    }

    /** How far every consumer group has come. */
    List<Position> positions() throws ExecutionException, InterruptedException {
        List<Position> positions = new ArrayList<>();
        Set<String> groups = new TreeSet<>();
        admin.listGroups(ListGroupsOptions.forConsumerGroups())
                .all()
                .get()
                .forEach(group -> groups.add(group.groupId()));
        for (String group : groups) {
            admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .forEach((partition, position) -> positions.add(new Position(
                            group, partition.topic(), partition.partition(), position.offset(), position.metadata())));
        }
        return positions;
    }

    @Override
    public void close() {
        admin.close();
    }
}
