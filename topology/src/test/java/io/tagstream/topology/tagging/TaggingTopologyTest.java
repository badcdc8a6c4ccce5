/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.Cause;
import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.FailureReason;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TaggingTopologyTest {
    private static final int ROOM = 3;

    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final FakeModelRuntime model = FakeModelRuntime.manual(ROOM);
    private Vocabulary vocabulary;
    private TopologyTestDriver driver;
    private TestInputTopic<String, ImageReference> images;
    private TestOutputTopic<String, TagEvent> tags;
    private TestOutputTopic<String, TagChange> changes;
    private TestOutputTopic<String, ImageFailure> failures;
    private TestOutputTopic<byte[], byte[]> deadLetters;
    private final Set<String> labelsPut = new HashSet<>();

    private MarkerRules rules;

    private void start(Object... settings) {
        TagstreamConfig config = TestConfig.with(settings);
        rules = TestRules.of(config, model.description());
        vocabulary = new Vocabulary(
                "label-embeddings",
                model.description(),
                contracts.labelEmbedding().deserializer());
        driver = new TopologyTestDriver(
                TaggingTopology.build(
                        config,
                        new TaggingContext(
                                config, contracts, vocabulary, model, new SimpleMeterRegistry(), new Inflow())),
                TestConfig.driverProperties(config, "tagstream"));
        images = driver.createInputTopic(
                "images", new StringSerializer(), contracts.imageReference().serializer());
        tags = driver.createOutputTopic(
                "tags", new StringDeserializer(), contracts.tagEvent().deserializer());
        changes = driver.createOutputTopic(
                "tag-changes", new StringDeserializer(), contracts.tagChange().deserializer());
        failures = driver.createOutputTopic(
                "image-failures",
                new StringDeserializer(),
                contracts.imageFailure().deserializer());
        deadLetters =
                driver.createOutputTopic("dead-letters", new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTagAnImage(boolean repartition) {
        start(TagstreamConfig.IMAGES_REPARTITION, repartition);
        vocabulary(5, "dog", "car");
        images.pipeInput(new TestRecord<>(
                "image-1",
                ImageReference.newBuilder(reference("fake:dog"))
                        .setAttributes(Map.of("album", "pets"))
                        .build(),
                new RecordHeaders().add("traceparent", "00-1".getBytes(StandardCharsets.UTF_8))));
        assertThat(tags.isEmpty())
                .as("nothing is emitted before the model is done")
                .isTrue();

        model.complete(1);
        assertThat(tags.isEmpty())
                .as("completions are forwarded by the punctuator")
                .isTrue();
        punctuate();

        TestRecord<String, TagEvent> record = tags.readRecord();
        assertThat(record.key()).isEqualTo("image-1");
        TagEvent event = record.value();
        assertThat(event.getTags()).containsExactly(new Tag("dog", "dog", 1f, 0.5f));
        assertThat(event.getVocabularyEpoch()).isEqualTo(5);
        assertThat(event.getCause()).isEqualTo(Cause.NEW_IMAGE);
        assertThat(event.getUri()).isEqualTo("fake:dog");
        assertThat(event.getSha256()).isEqualTo(FakeModelRuntime.sha256("fake:dog"));
        assertThat(event.getModel().getVersion()).isEqualTo("fake-1");
        assertThat(event.getAttributes()).containsEntry("album", "pets");
        assertThat(record.headers().lastHeader("traceparent").value())
                .isEqualTo("00-1".getBytes(StandardCharsets.UTF_8));
        assertThat(changes.readValue().getAdded()).extracting(Tag::getLabelId).containsExactly("dog");
        assertThat(pending()).isZero();
    }

    @Test
    void shouldHoldImagesUntilTheVocabularyIsEncoded() {
        start();
        vocabulary.require("topic-1", 5, 1);
        images.pipeInput("image-1", reference("fake:dog"));
        punctuate();
        assertThat(model.waiting()).isZero();

        put("dog", 0, null, LabelState.ACTIVE);
        mark(5);
        punctuate();
        model.complete(1);
        punctuate();

        assertThat(tags.readValue().getVocabularyEpoch()).isEqualTo(5);
    }

    @Test
    void shouldTagUnderAnEmptyVocabulary() {
        start();
        vocabulary.require("topic-1", -1, 1);
        mark(-1);
        tag("image-1", "fake:dog");

        TagEvent event = tags.readValue();
        assertThat(event.getTags()).isEmpty();
        assertThat(event.getVocabularyEpoch()).isEqualTo(-1);
        assertThat(changes.isEmpty()).as("no tag before, none now: no change").isTrue();
    }

    @Test
    void shouldUseEachLabelsThresholdAndNeverEmitShadowLabels() {
        start(TagstreamConfig.TAGS_TOP_K, 2);
        put("low", 0, 0.2, LabelState.ACTIVE);
        put("default", 1, null, LabelState.ACTIVE);
        put("dog", 2, null, LabelState.ACTIVE);
        put("low-too", 3, 0.2, LabelState.ACTIVE);
        put("shadow", 4, 0.0, LabelState.SHADOW);
        mark(4);
        vocabulary.require("topic-1", 4, 1);
        tag("image-1", "fake:dog");

        assertThat(tags.readValue().getTags())
                .containsExactly(
                        new Tag("dog", "dog", 1f, 0.5f), new Tag("low", "low", FakeModelRuntime.OTHERS_SCORE, 0.2f));
    }

    @Test
    void shouldLetTheConfiguredMinimumScoreOverrideEveryThreshold() {
        start(TagstreamConfig.TAGS_MIN_SCORE, 0.0);
        put("strict", 0, 1.0, LabelState.ACTIVE);
        put("default", 1, null, LabelState.ACTIVE);
        mark(1);
        vocabulary.require("topic-1", 1, 1);
        tag("image-1", "fake:dog");

        assertThat(tags.readValue().getTags()).extracting(Tag::getThreshold).containsExactly(0f, 0f);
    }

    @Test
    void shouldGiveOutcomesOfOneImageInInputOrderWhileOthersPass() {
        start();
        vocabulary(0, "dog", "car");
        images.pipeInput("a", reference("fake:dog"));
        images.pipeInput("a", reference("fake:car"));
        images.pipeInput("b", reference("fake:car"));
        images.pipeInput("a", (ImageReference) null);
        images.pipeInput("a", reference("fail:CORRUPT_IMAGE"));
        assertThat(model.waiting()).as("the oldest of a, and b").isEqualTo(2);

        model.completeAllReversed();
        punctuate();
        assertThat(tags.readKeyValuesToList()).extracting(entry -> entry.key).containsExactly("b", "a");
        for (int i = 0; i < 3; i++) {
            model.completeAllReversed();
            punctuate();
        }

        List<KeyValue<String, TagEvent>> rest = tags.readKeyValuesToList();
        assertThat(rest).hasSize(2);
        assertThat(rest.get(0).value.getUri()).isEqualTo("fake:car");
        assertThat(rest.get(0).value.getCause()).isEqualTo(Cause.IMAGE_CHANGED);
        assertThat(rest.get(1)).isEqualTo(KeyValue.pair("a", null));
        assertThat(failures.readKeyValuesToList())
                .extracting(entry -> entry.key)
                .containsExactly("a");
        assertThat(pending()).isZero();
    }

    @ParameterizedTest
    @EnumSource(FailureReason.class)
    void shouldReportEveryKindOfFailure(FailureReason reason) {
        start();
        vocabulary(0, "dog");
        tag("image-1", "fail:" + reason);

        ImageFailure failure = failures.readValue();
        assertThat(failure.getReason().name()).isEqualTo(reason.name());
        assertThat(failure.getReference().getUri()).isEqualTo("fail:" + reason);
        assertThat(failure.getMessage()).contains("told to fail");
        assertThat(failure.getAttempts()).isOne();
        assertThat(failure.getOrigin().getTopic()).isEqualTo("images");
        assertThat(tags.isEmpty()).isTrue();
        assertThat(pending()).isZero();
    }

    @Test
    void shouldKeepTheTagsOfAnImageWhoseResubmissionFails() {
        start();
        vocabulary(0, "dog");
        tag("image-1", "fake:dog");
        tag("image-1", "fail:FETCH_NOT_FOUND");
        tag("image-1", "fake:dog");

        assertThat(tags.readValuesToList()).hasSize(2);
        assertThat(failures.readValuesToList()).hasSize(1);
        assertThat(changes.readValuesToList()).as("the tags never changed").hasSize(1);
    }

    @Test
    void shouldTurnAnUnexpectedExceptionIntoAFailure() {
        start();
        vocabulary(0, "dog");
        tag("image-1", "throw:surprise");

        ImageFailure failure = failures.readValue();
        assertThat(failure.getReason()).isEqualTo(ImageFailureReason.MODEL_ERROR);
        assertThat(failure.getMessage()).contains("throw:surprise");
    }

    @Test
    void shouldSayWhatChangedAndWhy() {
        start();
        vocabulary(1, "dog", "car");
        tag("image-1", "fake:dog+car");
        tag("image-1", "fake:dog");
        put("dog", 2, 0.3, LabelState.ACTIVE);
        mark(2);
        tag("image-1", "fake:dog");
        images.pipeInput("image-1", (ImageReference) null);
        punctuate();

        List<TagChange> log = changes.readValuesToList();
        assertThat(log)
                .extracting(TagChange::getCause)
                .containsExactly(Cause.NEW_IMAGE, Cause.IMAGE_CHANGED, Cause.VOCABULARY_CHANGED, Cause.IMAGE_DELETED);
        assertThat(log.get(0).getAdded()).hasSize(2);
        assertThat(log.get(1).getRemoved()).extracting(Tag::getLabelId).containsExactly("car");
        assertThat(log.get(2).getRescored()).extracting(Tag::getThreshold).containsExactly(0.3f);
        assertThat(log.get(3).getRemoved()).extracting(Tag::getLabelId).containsExactly("dog");
    }

    @Test
    void shouldPinTheVocabularyThatWasInForceWhenAnImageWasScored() {
        start();
        vocabulary(1, "dog");
        images.pipeInput("before", reference("fake:dog+car"));
        model.complete(1);
        put("car", 2, null, LabelState.ACTIVE);
        mark(2);
        punctuate();
        tag("after", "fake:dog+car");

        List<KeyValue<String, TagEvent>> events = tags.readKeyValuesToList();
        assertThat(events)
                .extracting(event -> event.key + " " + event.value.getVocabularyEpoch())
                .as("the first follows once it is known")
                .containsExactly("before 1", "after 2", "before 2");
        assertThat(events.get(0).value.getTags()).extracting(Tag::getLabelId).containsExactly("dog");
        assertThat(events.get(1).value.getTags()).extracting(Tag::getLabelId).containsExactly("car", "dog");
        assertThat(events.get(2).value.getTags()).extracting(Tag::getLabelId).containsExactly("car", "dog");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldKeepUnreadableRecordsAsDeadLetters(boolean repartition) {
        start(TagstreamConfig.IMAGES_REPARTITION, repartition);
        vocabulary(0, "dog");
        TestInputTopic<byte[], byte[]> raw =
                driver.createInputTopic("images", new ByteArraySerializer(), new ByteArraySerializer());
        byte[] good = contracts.imageReference().serializer().serialize("images", reference("fake:dog"));
        raw.pipeInput("x".getBytes(StandardCharsets.UTF_8), "no avro".getBytes(StandardCharsets.UTF_8));
        raw.pipeInput(null, good);
        raw.pipeInput(new byte[] {(byte) 0xff, (byte) 0xfe}, good);
        raw.pipeInput(new byte[0], good);
        tag("image-1", "fake:dog");

        List<TestRecord<byte[], byte[]>> letters = deadLetters.readRecordsToList();
        assertThat(letters).hasSize(4);
        assertThat(new String(letters.get(0).value(), StandardCharsets.UTF_8)).isEqualTo("no avro");
        assertThat(letters)
                .extracting(letter -> new String(
                        letter.headers().lastHeader("__streams.errors.offset").value(), StandardCharsets.UTF_8))
                .containsExactly("0", "1", "2", "3");
        assertThat(letters)
                .allSatisfy(letter -> assertThat(new String(
                                letter.headers()
                                        .lastHeader("__streams.errors.topic")
                                        .value(),
                                StandardCharsets.UTF_8))
                        .isEqualTo("images"));
        assertThat(tags.readValuesToList()).as("the stream goes on").hasSize(1);
    }

    @Test
    void shouldKeepWhatTheModelHasNoRoomForAndSubmitItLater() {
        start();
        vocabulary(0, "dog");
        for (int i = 0; i < 3 * ROOM; i++) {
            images.pipeInput("image-" + i, reference("fake:dog"));
        }
        assertThat(model.waiting()).isEqualTo(ROOM);
        assertThat(pending()).isEqualTo(3 * ROOM);

        for (int i = 0; i < 3; i++) {
            model.complete(ROOM);
            punctuate();
        }
        assertThat(tags.readValuesToList()).hasSize(3 * ROOM);
        assertThat(pending()).isZero();
    }

    @Test
    void shouldTakeInWhatWasPolledAlreadyEvenIfTheModelStandsStill() {
        start(TagstreamConfig.TASK_PENDING_MAX, 1);
        vocabulary(0, "dog");
        for (int i = 0; i < 5; i++) {
            images.pipeInput("image-" + i, reference("fake:dog"));
        }

        assertThat(pending()).isEqualTo(5);
        for (int i = 0; i < 5; i++) {
            model.complete(model.waiting());
            punctuate();
        }
        assertThat(tags.readValuesToList()).hasSize(5);
    }

    private void vocabulary(long epoch, String... labels) {
        for (String label : labels) {
            put(label, epoch, null, LabelState.ACTIVE);
        }
        mark(epoch);
        vocabulary.require("topic-1", epoch, 1);
    }

    private void put(String id, long offset, Double threshold, LabelState state) {
        Label label = Label.newBuilder()
                .setName(id)
                .setThreshold(threshold)
                .setState(state)
                .build();
        EncodedLabel encoded = new EncodedLabel(id, label, FakeModelRuntime.vectorBytes(id), offset, 0f, 1f);
        labelsPut.add(id);
        pipe(new EmbeddingKey(fingerprint(), id), new LabelEmbedding(fingerprint(), offset, encoded));
    }

    private void mark(long offset) {
        pipe(
                EmbeddingKey.marker(fingerprint()),
                new LabelEmbedding(
                        fingerprint(), offset, new VocabularyMarker(labelsPut.size(), "topic-1", offset, rules)));
    }

    private void pipe(EmbeddingKey key, LabelEmbedding embedding) {
        driver.createInputTopic(
                        "label-embeddings",
                        new StringSerializer(),
                        contracts.labelEmbedding().serializer())
                .pipeInput(key.toString(), embedding);
    }

    private String fingerprint() {
        return model.description().textFingerprint();
    }

    private static ImageReference reference(String uri) {
        return ImageReference.newBuilder().setUri(uri).build();
    }

    /** Submits an image and lets it land. */
    private void tag(String id, String uri) {
        images.pipeInput(id, reference(uri));
        model.complete(1);
        punctuate();
    }

    private void punctuate() {
        driver.advanceWallClockTime(Duration.ofMillis(20));
    }

    private long pending() {
        long[] entries = {0};
        try (var all = driver.getKeyValueStore(TaggingTopology.PENDING_STORE).all()) {
            all.forEachRemaining(entry -> entries[0]++);
        }
        return entries[0];
    }
}
