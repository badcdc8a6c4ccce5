/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.state.SweepState;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingTopology;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/** A separate Tagstream on the shared cluster: topics, configuration, a producer, and committed reads. */
final class Stage implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PARTITIONS = 3;

    private final String name = "stage-" + UUID.randomUUID();
    private final Map<String, Object> settings = new HashMap<>();
    private final SchemaRegistry registry;
    private final Contracts contracts;
    private final KafkaProducer<String, byte[]> producer;
    private final Path stateDirectory;
    private final AtomicInteger instances = new AtomicInteger();
    private final List<AutoCloseable> running = new ArrayList<>();
    private final Map<Tagstream, MeterRegistry> metrics = new HashMap<>();

    Stage(TestCluster cluster, Path stateDirectory, Object... keysAndValues) {
        this.stateDirectory = stateDirectory;
        settings.put(TagstreamConfig.BOOTSTRAP_SERVERS, cluster.bootstrapServers());
        settings.put(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl());
        settings.put(TagstreamConfig.APPLICATION_ID, name);
        for (String key : TagstreamConfig.definition().names()) {
            if (key.endsWith(".topic")) {
                settings.put(key, name + "-" + key.substring(0, key.length() - ".topic".length()));
            }
        }
        settings.put(TopicKeys.TOPICS_PARTITIONS, PARTITIONS);
        // A halted instance loses its partitions sooner than by default.
        settings.put("kafka.main.consumer.session.timeout.ms", 6_000);
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        TagstreamConfig config = config();
        TopicProvisioner.provision(config);
        registry = SchemaRegistries.connect(config.registrySettings());
        contracts = new Contracts(registry);
        contracts.register(config);
        producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        cluster.bootstrapServers(),
                        ProducerConfig.LINGER_MS_CONFIG,
                        2),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    TagstreamConfig config(Object... overrides) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(
                TagstreamConfig.STATE_DIR,
                stateDirectory.resolve("instance-" + instances.get()).toString());
        for (int i = 0; i < overrides.length; i += 2) {
            all.put((String) overrides[i], overrides[i + 1]);
        }
        return new TagstreamConfig(all);
    }

    SchemaRegistry registry() {
        return registry;
    }

    Contracts contracts() {
        return contracts;
    }

    String topic(String key) {
        return (String) settings.get(key);
    }

    /** Starts an instance with its own state directory and waits until it is ready. */
    Tagstream start(FakeModelRuntime model, Object... overrides) throws Exception {
        return start(model, new DefaultKafkaClientSupplier(), overrides);
    }

    /** Starts an instance with these Kafka clients and waits until it is ready. */
    Tagstream start(FakeModelRuntime model, KafkaClientSupplier clients, Object... overrides) throws Exception {
        return start(model, registry, clients, overrides);
    }

    /** Starts an instance with this registry and these Kafka clients, and waits until it is ready. */
    Tagstream start(
            FakeModelRuntime model, SchemaRegistry itsRegistry, KafkaClientSupplier clients, Object... overrides)
            throws Exception {
        Tagstream instance = launch(model, itsRegistry, clients, overrides);
        instance.awaitReady(PATIENCE);
        return instance;
    }

    /** Starts an instance that may never become ready. */
    Tagstream startUnready(FakeModelRuntime model, Object... overrides) {
        return startUnready(model, new DefaultKafkaClientSupplier(), overrides);
    }

    /** Starts an instance with these Kafka clients that may never become ready. */
    Tagstream startUnready(FakeModelRuntime model, KafkaClientSupplier clients, Object... overrides) {
        return launch(model, registry, clients, overrides);
    }

    /** What an instance measures. */
    MeterRegistry metrics(Tagstream instance) {
        return metrics.get(instance);
    }

    private Tagstream launch(
            FakeModelRuntime model, SchemaRegistry itsRegistry, KafkaClientSupplier clients, Object... overrides) {
        instances.incrementAndGet();
        MeterRegistry itsMetrics = new SimpleMeterRegistry();
        Tagstream instance = new Tagstream(config(overrides), model, itsRegistry, itsMetrics, clients);
        running.add(instance);
        metrics.put(instance, itsMetrics);
        instance.start();
        return instance;
    }

    /** Puts a model's bundle in force, as {@code tagstream model use} does. */
    ClusterControl use(FakeModelRuntime model) {
        return control(before ->
                Controls.next(before, Controls.release(model.description()), before.getPolicy(), Instant.now()));
    }

    /** Changes the control record, as commands do. */
    ClusterControl control(Function<ClusterControl, Optional<ClusterControl>> change) {
        return new ControlTopic(config(), contracts).change(before -> change.apply(before.orElseThrow()));
    }

    void label(String id, Label label) {
        send(
                TagstreamConfig.LABELS_TOPIC,
                id,
                contracts.label().serializer().serialize(topic(TagstreamConfig.LABELS_TOPIC), label));
    }

    void label(String name) {
        label(name, Label.newBuilder().setName(name).build());
    }

    void image(String id, String uri) {
        ImageReference reference = ImageReference.newBuilder().setUri(uri).build();
        send(
                TagstreamConfig.IMAGES_TOPIC,
                id,
                contracts.imageReference().serializer().serialize(topic(TagstreamConfig.IMAGES_TOPIC), reference));
    }

    void delete(String id) {
        send(TagstreamConfig.IMAGES_TOPIC, id, null);
    }

    /** Sends a record unchanged. */
    void send(String topicKey, String key, byte[] value) {
        var unused = producer.send(new ProducerRecord<>(topic(topicKey), key, value));
    }

    /** Sends a record to the given partition, as a producer with another partitioner would. */
    void send(String topicKey, int partition, String key, byte[] value) {
        var unused = producer.send(new ProducerRecord<>(topic(topicKey), partition, key, value));
    }

    void flush() {
        producer.flush();
    }

    /** A record as a reader of committed records sees it. */
    record Read<V>(String topic, int partition, String key, V value) {}

    /**
     * Reads the committed records of topics from the start, until there are {@code enough} and it has reached the ends.
     * Then it reads for another moment, so that surplus records show.
     */
    List<Read<Object>> read(Map<String, Deserializer<?>> topics, Predicate<List<Read<Object>>> enough) {
        List<Read<Object>> all = new ArrayList<>();
        Map<String, Object> consumerSettings = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                settings.get(TagstreamConfig.BOOTSTRAP_SERVERS),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed");
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(consumerSettings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = topics.keySet().stream()
                    .flatMap(key -> consumer.partitionsFor(topic(key)).stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            int quietPolls = 0;
            while (quietPolls < 5 && System.nanoTime() < deadline) {
                for (ConsumerRecord<String, byte[]> found : consumer.poll(Duration.ofMillis(100))) {
                    String key = topics.keySet().stream()
                            .filter(candidate -> topic(candidate).equals(found.topic()))
                            .findFirst()
                            .orElseThrow();
                    all.add(new Read<>(
                            key,
                            found.partition(),
                            found.key(),
                            topics.get(key).deserialize(found.topic(), found.value())));
                }
                quietPolls = enough.test(all) && atEnd(consumer, partitions) ? quietPolls + 1 : 0;
            }
        }
        return all;
    }

    private static boolean atEnd(KafkaConsumer<?, ?> consumer, List<TopicPartition> partitions) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        return partitions.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
    }

    /** Outcomes of images: tags, tombstones and failures, in each partition's order. */
    List<Read<Object>> outcomes(Predicate<List<Read<Object>>> enough) {
        return read(
                Map.of(
                        TagstreamConfig.TAGS_TOPIC,
                        contracts.tagEvent().deserializer(),
                        TagstreamConfig.IMAGE_FAILURES_TOPIC,
                        contracts.imageFailure().deserializer()),
                enough);
    }

    /** How many images still lack an outcome, according to the pending store's committed changelog. */
    long pending() {
        Map<String, Long> live = new HashMap<>();
        for (Read<Object> entry : changelog(TaggingTopology.PENDING_STORE, new ByteArrayDeserializer())) {
            live.merge(entry.partition() + "/" + entry.key(), entry.value() == null ? -1L : 1L, (a, b) -> b);
        }
        return live.values().stream().filter(state -> state > 0).count();
    }

    /** Whether every task has noted which topics have everything that it can write again. */
    boolean topicsNoted() {
        Map<Integer, Integer> copies = new HashMap<>();
        for (Read<Object> entry :
                changelog(TaggingTopology.SWEEP_STORE, new StateSerde<>(SweepState.class).deserializer())) {
            copies.put(
                    entry.partition(), ((SweepState) entry.value()).getCopies().size());
        }
        return copies.size() == PARTITIONS && copies.values().stream().allMatch(count -> count == 5);
    }

    /** The committed records of a store's changelog. */
    private List<Read<Object>> changelog(String store, Deserializer<?> deserializer) {
        settings.put(store, TaggingTopology.changelog(name, store));
        try {
            return read(Map.of(store, deserializer), all -> true);
        } finally {
            settings.remove(store);
        }
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable instance : running) {
            instance.close();
        }
        producer.close();
        registry.close();
    }
}
