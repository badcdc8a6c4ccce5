/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.LabelFailureReason;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the encoder refuses, and what it leaves in force although it would refuse it today. */
class LabelEncoderLimitsTest {
    private static final String LONG_ID = "\u202e" + "x".repeat(600);

    private final FakeTopics topics = new FakeTopics();
    private final FakeModelRuntime model = FakeModelRuntime.manual(1);
    private final EncoderStage stage =
            new EncoderStage(topics, SchemaRegistries.inMemory(), model, TagstreamConfig.VOCABULARY_MAX, 3);

    @Test
    void shouldRefuseLabelsWhoseTagsWouldFillRecords() {
        stage.start();
        stage.put("dog", label("D".repeat(600_000)));
        stage.put("car", label("C".repeat(600_000)));
        stage.put("c\u200ear", label("car"));
        stage.put("cat", label("c\u0000at"));
        stage.put("owl", label("\u200b"));
        stage.passQuietly();

        assertThat(stage.failures)
                .extracting(LabelFailure::getReason)
                .containsExactly(
                        LabelFailureReason.TEXT_TOO_LONG,
                        LabelFailureReason.TEXT_TOO_LONG,
                        LabelFailureReason.BAD_ID,
                        LabelFailureReason.BAD_NAME,
                        LabelFailureReason.EMPTY_NAME);
        assertThat(stage.failures.get(0).getMessage())
                .contains("name of label \"dog\" has 600000 characters", "at most 500");
        assertThat(stage.new Instance().labels()).isEmpty();
    }

    @Test
    void shouldRefuseLabelsBeyondTheMostUntilThereIsRoom() {
        stage.start();
        List.of("ant", "bee", "cat", "dog").forEach(stage::put);
        stage.put("ant", label("Ant"));
        stage.passQuietly();

        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(stage.failures)
                .extracting(LabelFailure::getReason)
                .containsExactly(LabelFailureReason.VOCABULARY_FULL);
        assertThat(stage.failures.get(0).getMessage()).contains("\"dog\"", "at most 3", "vocabulary.max");

        stage.put("bee", null);
        stage.put("dog");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "cat", "dog");
        assertThat(stage.failures).hasSize(1);
    }

    @Test
    void shouldCountTheLabelsOfARecreatedTopicAlone() {
        stage.start();
        List.of("ant", "bee", "cat").forEach(stage::put);
        stage.passQuietly();
        stage.stop();
        topics.createAnew(EncoderStage.LABELS);
        List.of("dog", "eel", "fox", "gnu").forEach(stage::put);

        stage.start();
        stage.passQuietly();

        assertThat(stage.new Instance().labels()).containsExactly("dog", "eel", "fox");
        assertThat(stage.failures)
                .extracting(LabelFailure::getReason)
                .containsExactly(LabelFailureReason.VOCABULARY_FULL);
    }

    @Test
    void shouldKeepLabelsInForceThatItWouldRefuseToday() {
        Label taken = label("y".repeat(600));
        stage.put(LONG_ID, taken);
        written(stage.fingerprint(), LONG_ID, taken);
        stage.start();
        stage.passQuietly();
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly(LONG_ID);

        stage.put(LONG_ID, Label.newBuilder(taken).setThreshold(0.9).build());
        stage.passQuietly();
        assertThat(instance.snapshot().labels().get(0).threshold()).hasValue(0.9);
        assertThat(instance.snapshot().labels().get(0).name())
                .as("cut for tags")
                .hasSize(500);

        stage.put(LONG_ID, null);
        stage.passQuietly();
        assertThat(instance.labels()).isEmpty();
        assertThat(stage.failures).isEmpty();

        stage.put(LONG_ID, taken);
        stage.passQuietly();
        assertThat(instance.labels()).as("it is new now").isEmpty();
        assertThat(stage.failures).extracting(LabelFailure::getReason).containsExactly(LabelFailureReason.BAD_ID);
    }

    @Test
    void shouldKeepThemForAnotherModelToo() {
        Label taken = label("y".repeat(600));
        stage.put(LONG_ID, taken);
        stage.put("other", label("z".repeat(600)));
        written("0".repeat(64), LONG_ID, taken);

        stage.start();
        stage.passQuietly();

        assertThat(stage.new Instance().labels()).containsExactly(LONG_ID);
        assertThat(stage.failures)
                .as("the label that no encoder has in force")
                .extracting(LabelFailure::getReason)
                .containsExactly(LabelFailureReason.TEXT_TOO_LONG);
    }

    /** Writes to label-embeddings what an encoder without limits wrote there for one label. */
    private void written(String fingerprint, String id, Label label) {
        EncodedLabel encoded = new EncodedLabel(id, label, FakeModelRuntime.vectorBytes(label.getName()), 0L, 0f, 1f);
        append(new EmbeddingKey(fingerprint, id), new LabelEmbedding(fingerprint, 0L, encoded));
        append(
                EmbeddingKey.marker(fingerprint),
                new LabelEmbedding(
                        fingerprint, 0L, new VocabularyMarker(1, topics.topicId(EncoderStage.LABELS), 0L, null)));
    }

    private void append(EmbeddingKey key, LabelEmbedding value) {
        topics.append(
                EncoderStage.EMBEDDINGS,
                key.toString().getBytes(StandardCharsets.UTF_8),
                stage.contracts.labelEmbedding().serializer().serialize(EncoderStage.EMBEDDINGS, value));
    }

    private static Label label(String name) {
        return Label.newBuilder().setName(name).build();
    }
}
