/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.clients.TopicIdentities;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** The tagging topology on a test driver, with a vocabulary that is edited as its owner would edit it. */
final class TaggingHarness implements AutoCloseable {
    /** A label as it is in force; {@code text} decides its vector. */
    record Entry(String name, String text, Double threshold, LabelState state, long vectorOffset) {
        Entry renamed(String newName) {
            return new Entry(newName, text, threshold, state, vectorOffset);
        }

        Entry at(Double newThreshold) {
            return new Entry(name, text, newThreshold, state, vectorOffset);
        }

        Entry in(LabelState newState) {
            return new Entry(name, text, threshold, newState, vectorOffset);
        }
    }

    private static final int LONGEST_SWEEP = 40;

    private static final List<String> STORES = List.of(
            TaggingTopology.PENDING_STORE,
            TaggingTopology.IMAGE_META_STORE,
            TaggingTopology.IMAGE_FEATURES_STORE,
            TaggingTopology.SWEEP_STORE,
            TaggingTopology.TASK_PROGRESS_STORE);

    final Map<String, Entry> vocabulary = new TreeMap<>();

    /** These belong to the life since the last {@link #restart}. */
    FakeModelRuntime model;

    SimpleMeterRegistry metrics;
    TestOutputTopic<String, TagEvent> tags;
    TestOutputTopic<String, TagChange> changes;
    TestOutputTopic<String, ImageFailure> failures;
    TopicIdentities identities;

    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final TagstreamConfig config;
    private final List<KeyValue<String, LabelEmbedding>> embeddingsTopic = new ArrayList<>();
    private Instant now = Instant.ofEpochMilli(System.currentTimeMillis());
    private TopologyTestDriver driver;
    private TestInputTopic<String, ImageReference> images;
    private TestInputTopic<String, LabelEmbedding> embeddings;
    private long offset;
    private ClusterControl control;
    private MarkerRules rules;

    /** Whether no marker has put the rules in force yet. */
    private boolean rulesChanged;

    /** The number of records on the images topic. */
    private int imageRecords;

    TaggingHarness(Object... settings) {
        this(FakeModelRuntime.manual(1_000), settings);
    }

    TaggingHarness(FakeModelRuntime model, Object... settings) {
        this.config = TestConfig.with(settings);
        this.control = TestRules.control(config, model.description());
        this.rules = TestRules.of(control, VocabularySnapshot.EMPTY_EPOCH);
        start(model, Map.of());
    }

    private void start(FakeModelRuntime itsModel, Map<String, List<KeyValue<Object, Object>>> stored) {
        model = itsModel;
        metrics = new SimpleMeterRegistry();
        Vocabulary followed = new Vocabulary(
                "label-embeddings",
                model.description(),
                contracts.labelEmbedding().deserializer(),
                config::selection);
        if (!control.getBundle().equals(Controls.release(model.description()))) {
            changeRules(Controls.release(model.description()), control.getPolicy());
        }
        followed.require("topic-1", 0, control.getRevision());
        TaggingContext shared = new TaggingContext(config, contracts, followed, model, metrics, new Inflow());
        identities = shared.identities();
        driver = new TopologyTestDriver(
                TaggingTopology.build(config, shared, () -> new Restored(new TaggingProcessor(shared), stored)),
                TestConfig.driverProperties(config, "tagstream"),
                now);
        images = driver.createInputTopic(
                "images", new StringSerializer(), contracts.imageReference().serializer());
        embeddings = driver.createInputTopic(
                "label-embeddings",
                new StringSerializer(),
                contracts.labelEmbedding().serializer());
        embeddingsTopic.forEach(embedding -> embeddings.pipeInput(embedding.key, embedding.value));
        if (!embeddingsTopic.isEmpty() && rulesChanged) {
            mark();
        }
        tags = driver.createOutputTopic(
                "tags", new StringDeserializer(), contracts.tagEvent().deserializer());
        changes = driver.createOutputTopic(
                "tag-changes", new StringDeserializer(), contracts.tagChange().deserializer());
        failures = driver.createOutputTopic(
                "image-failures",
                new StringDeserializer(),
                contracts.imageFailure().deserializer());
    }

    /**
     * Stops and restarts. Work in flight is gone, and so are records that nobody has read.
     *
     * @param next the model to use from now on
     * @param lost the stores that are empty from now on
     */
    void restart(FakeModelRuntime next, String... lost) {
        Map<String, List<KeyValue<Object, Object>>> stored = new HashMap<>();
        for (String store : STORES) {
            stored.put(store, List.of(lost).contains(store) ? List.of() : entries(store));
        }
        driver.close();
        start(next, stored);
        for (int record = 0; record < imageRecords; record++) {
            images.pipeInput((ImageReference) null); // offsets continue: they are the images' versions
        }
    }

    /** The records that were written to a store's changelog and that nobody has read; removals have no value. */
    List<KeyValue<byte[], byte[]>> changelog(String store) {
        return driver.createOutputTopic(
                        TaggingTopology.changelog(config.applicationId(), store),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())
                .readKeyValuesToList();
    }

    <K, V> KeyValueStore<K, V> store(String name) {
        return driver.getKeyValueStore(name);
    }

    /** The contents of a store. */
    <K, V> List<KeyValue<K, V>> entries(String store) {
        List<KeyValue<K, V>> entries = new ArrayList<>();
        try (KeyValueIterator<K, V> all = this.<K, V>store(store).all()) {
            all.forEachRemaining(entries::add);
        }
        return entries;
    }

    /** A processor whose stores are filled before it sees them, as Kafka Streams does from their changelogs. */
    private record Restored(
            Processor<String, byte[], Object, byte[]> processor, Map<String, List<KeyValue<Object, Object>>> stored)
            implements Processor<String, byte[], Object, byte[]> {
        @Override
        public void init(ProcessorContext<Object, byte[]> context) {
            stored.forEach((name, entries) ->
                    context.<KeyValueStore<Object, Object>>getStateStore(name).putAll(entries));
            processor.init(context);
        }

        @Override
        public void process(Record<String, byte[]> accepted) {
            processor.process(accepted);
        }

        @Override
        public void close() {
            processor.close();
        }
    }

    /** Submits an image, without letting it land. */
    void submit(String id, String uri) {
        imageRecords++;
        images.pipeInput(id, ImageReference.newBuilder().setUri(uri).build());
    }

    void delete(String id) {
        imageRecords++;
        images.pipeInput(id, (ImageReference) null);
        step();
    }

    /** Submits an image and lets it land. */
    void tag(String id, String uri) {
        submit(id, uri);
        land();
    }

    /** Lets everything that was submitted land. */
    void land() {
        do {
            model.complete(model.waiting());
            step();
        } while (model.waiting() > 0);
    }

    /** Lets enough time pass for a turn of every running punctuator. */
    void step() {
        pass(Duration.ofMillis(10));
    }

    private void pass(Duration time) {
        now = now.plus(time);
        driver.advanceWallClockTime(time);
    }

    /** Lets known images follow the vocabulary, including those that are read again. */
    void sweep() {
        pass(Duration.ofMillis(500));
        for (int turn = 0; turn < LONGEST_SWEEP; turn++) {
            land();
            if (turn > 0 && metrics.get("tagstream.sweep.left").gauge().value() == 0) {
                return;
            }
        }
    }

    /** Adds an active label whose name and text are its id. */
    void add(String id) {
        edit(id, new Entry(id, id, null, LabelState.ACTIVE, offset + 1));
    }

    /** Replaces a label; the new one is in force from the next {@link #mark} on. */
    void edit(String id, Entry entry) {
        offset++;
        vocabulary.put(id, entry);
        pipe(id, entry, offset);
    }

    private void pipe(String id, Entry entry, long source) {
        Label label = Label.newBuilder()
                .setName(entry.name())
                .setThreshold(entry.threshold())
                .setState(entry.state())
                .build();
        EncodedLabel encoded =
                new EncodedLabel(id, label, FakeModelRuntime.vectorBytes(entry.text()), entry.vectorOffset(), 0f, 1f);
        pipe(new EmbeddingKey(fingerprint(), id), new LabelEmbedding(fingerprint(), source, encoded));
    }

    /** Gives the label another text, and so another vector. */
    void describe(String id, String text) {
        Entry entry = vocabulary.get(id);
        edit(id, new Entry(entry.name(), text, entry.threshold(), entry.state(), offset + 1));
    }

    void remove(String id) {
        offset++;
        vocabulary.remove(id);
        pipe(new EmbeddingKey(fingerprint(), id), null);
    }

    /** Puts the edits in force. */
    void mark() {
        pipe(
                EmbeddingKey.marker(fingerprint()),
                new LabelEmbedding(
                        fingerprint(), offset, new VocabularyMarker(vocabulary.size(), "topic-1", offset, rules)));
        rulesChanged = false;
    }

    /** Changes the tag policy; the next {@link #mark} puts it in force. */
    void change(TagPolicy policy) {
        changeRules(control.getBundle(), policy);
    }

    /** The tag policy of the newest control record. */
    TagPolicy policy() {
        return control.getPolicy();
    }

    private void changeRules(BundleRelease bundle, TagPolicy policy) {
        Controls.next(control, bundle, policy, Instant.EPOCH).ifPresent(this::changeRules);
    }

    private void changeRules(ClusterControl next) {
        offset++; // every change is an epoch of its own
        MarkerRules changed = TestRules.of(next, offset);
        if (next.getPolicy().getScoresFloor() >= control.getPolicy().getScoresFloor()) {
            changed.setFloorSince(rules.getFloorSince());
        }
        control = next;
        rules = changed;
        rulesChanged = true;
    }

    private void pipe(EmbeddingKey key, LabelEmbedding embedding) {
        embeddingsTopic.add(KeyValue.pair(key.toString(), embedding));
        embeddings.pipeInput(key.toString(), embedding);
    }

    /** The epoch in force after {@link #mark}. */
    long epoch() {
        return offset;
    }

    /** Puts a whole vocabulary in force at once. */
    void vocabulary(Map<String, Entry> entries) {
        entries.forEach(this::edit);
        mark();
    }

    /** Each image's latest tags, without those of deleted images. */
    Map<String, List<Tag>> latestTags() {
        Map<String, List<Tag>> latest = new LinkedHashMap<>();
        for (KeyValue<String, TagEvent> event : tags.readKeyValuesToList()) {
            latest.remove(event.key);
            if (event.value != null) {
                latest.put(event.key, event.value.getTags());
            }
        }
        return latest;
    }

    /** What the task knows about an image. */
    ImageMeta known(String id) {
        return this.<String, ImageMeta>store(TaggingTopology.IMAGE_META_STORE).get(id);
    }

    double count(String metric, String... tag) {
        return metrics.get(metric).tags(tag).counter().count();
    }

    private String fingerprint() {
        return model.description().textFingerprint();
    }

    @Override
    public void close() {
        driver.close();
    }
}
