/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.Vocabulary;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;

/** The tagging topology on a test driver, with a vocabulary that is edited as its owner would. */
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

    final FakeModelRuntime model = FakeModelRuntime.manual(1_000);
    final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    final TestOutputTopic<String, TagEvent> tags;
    final TestOutputTopic<String, TagChange> changes;
    final TestOutputTopic<String, ImageFailure> failures;
    final Map<String, Entry> vocabulary = new TreeMap<>();

    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final TopologyTestDriver driver;
    private final TestInputTopic<String, ImageReference> images;
    private final TestInputTopic<String, LabelEmbedding> embeddings;
    private long offset;

    TaggingHarness(Object... settings) {
        TagstreamConfig config = TestConfig.with(settings);
        Vocabulary followed = new Vocabulary(
                "label-embeddings",
                model.description(),
                contracts.labelEmbedding().deserializer(),
                config::selection);
        followed.require("topic-1", 0);
        driver = new TopologyTestDriver(
                TaggingTopology.build(
                        config, new TaggingContext(config, contracts, followed, model, metrics, new Inflow())),
                TestConfig.driverProperties(config, "tagstream"));
        images = driver.createInputTopic(
                "images", new StringSerializer(), contracts.imageReference().serializer());
        embeddings = driver.createInputTopic(
                "label-embeddings",
                new StringSerializer(),
                contracts.labelEmbedding().serializer());
        tags = driver.createOutputTopic(
                "tags", new StringDeserializer(), contracts.tagEvent().deserializer());
        changes = driver.createOutputTopic(
                "tag-changes", new StringDeserializer(), contracts.tagChange().deserializer());
        failures = driver.createOutputTopic(
                "image-failures",
                new StringDeserializer(),
                contracts.imageFailure().deserializer());
    }

    /** Submits an image, without letting it land. */
    void submit(String id, String uri) {
        images.pipeInput(id, ImageReference.newBuilder().setUri(uri).build());
    }

    void delete(String id) {
        images.pipeInput(id, (ImageReference) null);
        step();
    }

    /** Submits an image and lets it land. */
    void tag(String id, String uri) {
        submit(id, uri);
        land();
    }

    /** Lets everything land that was submitted. */
    void land() {
        do {
            model.complete(model.waiting());
            step();
        } while (model.waiting() > 0);
    }

    /** Time for a turn of every punctuator that runs. */
    void step() {
        driver.advanceWallClockTime(Duration.ofMillis(10));
    }

    /** Lets known images follow the vocabulary, those that are read again too. */
    void sweep() {
        driver.advanceWallClockTime(Duration.ofMillis(500));
        for (int turn = 0; turn < LONGEST_SWEEP; turn++) {
            land();
            if (turn > 0 && metrics.get("tagstream.sweep.left").gauge().value() == 0) {
                return;
            }
        }
    }

    /** Adds an active label that is called, and described, by its id. */
    void add(String id) {
        edit(id, new Entry(id, id, null, LabelState.ACTIVE, offset + 1));
    }

    /** Puts a label in place of another; in force from the next {@link #mark} on. */
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
        embeddings.pipeInput(
                new EmbeddingKey(fingerprint(), id).toString(), new LabelEmbedding(fingerprint(), source, encoded));
    }

    /** The label with another text, so another vector. */
    void describe(String id, String text) {
        Entry entry = vocabulary.get(id);
        edit(id, new Entry(entry.name(), text, entry.threshold(), entry.state(), offset + 1));
    }

    void remove(String id) {
        offset++;
        vocabulary.remove(id);
        embeddings.pipeInput(new EmbeddingKey(fingerprint(), id).toString(), (LabelEmbedding) null);
    }

    /** Puts what was edited in force. */
    void mark() {
        embeddings.pipeInput(
                EmbeddingKey.marker(fingerprint()).toString(),
                new LabelEmbedding(fingerprint(), offset, new VocabularyMarker(vocabulary.size(), "topic-1", offset)));
    }

    /** The epoch in force after {@link #mark}. */
    long epoch() {
        return offset;
    }

    /** A whole vocabulary at once, in force. */
    void vocabulary(Map<String, Entry> entries) {
        entries.forEach(this::edit);
        mark();
    }

    /** Each image's latest tags, those of images that were deleted left out. */
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

    /** What the task knows of an image. */
    ImageMeta known(String id) {
        return driver.<String, ImageMeta>getKeyValueStore(TaggingTopology.IMAGE_META_STORE)
                .get(id);
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
