/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static io.tagstream.topology.labels.EncoderStage.EMBEDDINGS;
import static io.tagstream.topology.labels.EncoderStage.LABELS;
import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses of the vocabulary's topics and the encoder's stores, one by one and together. */
class LabelEncoderLossTest {
    private static final byte[] GARBAGE = {9, 9};
    private static final Duration TWO_LOOKS = Duration.ofSeconds(25);

    private final SchemaRegistry registry = SchemaRegistries.inMemory();
    private final FakeTopics topics = new FakeTopics();
    private final EncoderStage stage = new EncoderStage(topics, registry, FakeModelRuntime.manual(1));

    /** Ant, bee and cat in force, at epoch 3: dog was added and removed. */
    private EncoderStage.Instance threeLabels() {
        stage.start();
        List.of("ant", "bee", "cat").forEach(stage::put);
        stage.put("ant", Label.newBuilder().setName("ant").setThreshold(0.9).build());
        stage.passQuietly();
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).isEqualTo(3);
        return instance;
    }

    @Test
    void shouldWriteAllLabelsAgainWhereLabelEmbeddingsWasLost() {
        threeLabels();
        stage.stop();
        topics.createAnew(EMBEDDINGS);
        EncoderStage.Instance waiting = stage.new Instance();
        assertThat(waiting.isReady()).isFalse();

        stage.start();
        assertThat(waiting.labels()).containsExactly("ant", "bee", "cat");
        assertThat(waiting.epoch()).as("nothing has changed").isEqualTo(3);

        stage.put("dog");
        stage.passQuietly();
        assertThat(waiting.labels()).containsExactly("ant", "bee", "cat", "dog");
        assertThat(stage.model.encodedLabels()).as("each text once").isEqualTo(4);
    }

    @Test
    void shouldWriteThemAgainWhereTheTopicIsLostWhileItRuns() {
        threeLabels();
        topics.createAnew(EMBEDDINGS);
        stage.put("dog");
        stage.passQuietly();
        assertThat(stage.new Instance().isReady())
                .as("the marker says four labels, and the topic has one")
                .isFalse();

        stage.pass(TWO_LOOKS);
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat", "dog");
    }

    @Test
    void shouldWriteThemAgainWhereTheTopicIsEmptiedWhileItRuns() {
        threeLabels();
        topics.empty(EMBEDDINGS);
        assertThat(stage.new Instance().isReady()).isFalse();

        stage.pass(TWO_LOOKS);
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).as("nothing has changed").isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStartAboveAnyEpochWhereImagesWereTaggedAndNeitherTopicIsLeft(boolean imagesWereTagged) {
        if (imagesWereTagged) {
            topics.append("tags", new byte[0], new byte[0]);
        }
        EncoderStage other = new EncoderStage(
                topics, registry, FakeModelRuntime.manual(FakeModelRuntime.describe("fake-2", 2, "text-2"), 1));
        other.start();
        other.put("ant");
        other.passQuietly();
        assertThat(other.new Instance().epoch() > 1_600_000_000_000L).isEqualTo(imagesWereTagged);
    }

    @ParameterizedTest
    @CsvSource({"true, bee", "true, ''", "false, bee", "false, ''"})
    void shouldWriteAgainWhatCannotBeRead(boolean running, String id) {
        EncoderStage.Instance instance = threeLabels();
        stage.writeEmbedding(id, GARBAGE);
        topics.compact(EMBEDDINGS);
        assertThat(stage.new Instance().isReady()).isFalse();

        if (running) {
            stage.pass(TWO_LOOKS);
        } else {
            stage.restart();
        }
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        int written = topics.records(EMBEDDINGS).size();
        stage.pass(TWO_LOOKS.multipliedBy(3));
        assertThat(topics.records(EMBEDDINGS)).as("written once").hasSize(written);
    }

    @Test
    void shouldRemoveFromLabelEmbeddingsWhatIsNoLabel() {
        threeLabels();
        LabelEmbedding bee = stage.written().get(1).value;
        stage.writeEmbedding(
                "stray", stage.contracts.labelEmbedding().serializer().serialize(EMBEDDINGS, bee));
        stage.writeEmbedding("unreadable", GARBAGE);
        stage.restart();

        topics.compact(EMBEDDINGS);
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
        assertThat(stage.written())
                .filteredOn(record -> record.value == null)
                .extracting(record -> record.key.labelId())
                .containsExactlyInAnyOrder("stray", "unreadable");
    }

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true"})
    void shouldTakeItsLabelsFromLabelEmbeddingsWhereItsStoresAreLost(boolean labels, boolean progress) {
        EncoderStage.Instance instance = threeLabels();
        stage.put("bee", Label.newBuilder().setName(" ").build()); // refused
        stage.passQuietly();
        VocabularySnapshot before = instance.snapshot();
        stage.stop();
        topics.compact(LABELS); // the only record of bee is the refused one
        if (labels) {
            stage.loseLabels();
        }
        if (progress) {
            stage.loseProgress();
        }
        stage.start();

        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).as("epochs go on").isGreaterThan(before.epoch());
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.snapshot().labels())
                .as("nothing has to be decoded again")
                .allSatisfy(label -> assertThat(label.vectorEpoch()).isLessThanOrEqualTo(before.epoch()));
        assertThat(stage.model.encodedLabels()).isEqualTo(3);

        stage.put("dog");
        stage.put("cat", null);
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "bee", "dog");
    }

    @Test
    void shouldReadTheLabelsAgainWhereStoresAndLabelEmbeddingsAreLost() {
        threeLabels();
        stage.stop();
        stage.loseLabels();
        stage.loseProgress();
        topics.createAnew(EMBEDDINGS);
        stage.start();

        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).as("whatever it was").isGreaterThan(1_000_000_000_000L);
        assertThat(stage.model.encodedLabels()).as("each text again").isEqualTo(6);
    }

    @Test
    void shouldEncodeAgainALabelWhoseStoredBytesAreBroken() {
        EncoderStage.Instance instance = threeLabels();
        stage.stop();
        stage.storeLabel("bee", GARBAGE);
        topics.createAnew(EMBEDDINGS);
        stage.start();

        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
        assertThat(stage.model.encodedLabels()).isEqualTo(4);
        assertThat(stage.marker().orElseThrow().getSourceOffset()).isGreaterThanOrEqualTo(instance.epoch());
    }

    @Test
    void shouldForgetALabelThatWasRemovedAndWhoseStoredBytesAreBroken() {
        threeLabels();
        stage.put("bee", null);
        stage.passQuietly();
        stage.stop();
        stage.storeLabel("bee", GARBAGE);
        stage.start();
        assertThat(stage.new Instance().labels()).containsExactly("ant", "cat");
        long epoch = stage.marker().orElseThrow().getSourceOffset();

        stage.restart();
        assertThat(stage.marker().orElseThrow().getSourceOffset())
                .as("the topic is not read again every time")
                .isEqualTo(epoch);
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void shouldReadATopicAgainThatHasLostItsEnd(boolean running) {
        EncoderStage.Instance instance = threeLabels();
        if (!running) {
            stage.stop();
        }
        topics.truncate(LABELS, 2); // ant and bee are left
        stage.put("owl"); // at the offset that cat had
        if (!running) {
            stage.start();
        }
        stage.passQuietly();

        assertThat(instance.labels()).containsExactly("ant", "bee", "owl");
        assertThat(instance.epoch()).isGreaterThan(3);
    }

    @Test
    void shouldTakeNothingTwiceWhereKafkaStreamsHasLostItsPlace() {
        EncoderStage.Instance instance = threeLabels();
        stage.stop();
        int before = topics.records(EMBEDDINGS).size();
        stage.start();
        topics.records(LABELS).forEach(stage::hand);
        stage.passQuietly();

        assertThat(topics.records(EMBEDDINGS)).hasSize(before);
        stage.put("dog");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat", "dog");
        assertThat(instance.epoch()).isEqualTo(4);
    }

    @Test
    void shouldGoOnWithATopicThatWasCreatedAnewWhileItWasStopped() {
        EncoderStage.Instance instance = threeLabels();
        stage.stop();
        topics.createAnew(LABELS);
        stage.put("bee");
        stage.put("owl");
        EncoderStage.Instance waiting = stage.new Instance();
        assertThat(waiting.isReady()).as("what is in force is the old topic's").isFalse();

        stage.start();
        assertThat(waiting.labels()).as("the topic is the vocabulary").containsExactly("bee", "owl");
        assertThat(instance.labels()).containsExactly("bee", "owl");
        assertThat(instance.epoch()).isEqualTo(5);
        assertThat(stage.model.encodedLabels()).as("bee is still bee").isEqualTo(4);
        assertThat(instance.snapshot().labels().get(0).vectorEpoch())
                .as("and is not decoded again")
                .isLessThanOrEqualTo(3);

        topics.records(LABELS).forEach(stage::hand); // as Kafka Streams does next
        stage.put("fox");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("bee", "fox", "owl");
        assertThat(instance.epoch()).isEqualTo(6);
        stage.restart();
        assertThat(stage.new Instance().labels()).containsExactly("bee", "fox", "owl");
        assertThat(stage.marker().orElseThrow().getSourceOffset()).isEqualTo(6);
    }

    @Test
    void shouldGoOnWithATopicThatIsCreatedAnewWhileItRuns() {
        EncoderStage.Instance instance = threeLabels();
        topics.createAnew(LABELS);
        stage.put("bee");
        stage.passQuietly();

        assertThat(instance.labels()).containsExactly("bee");
        assertThat(instance.epoch()).isEqualTo(4);
        assertThat(stage.marker().orElseThrow().getContent())
                .isEqualTo(new VocabularyMarker(1, topics.topicId(LABELS), 0L, TestRules.of(stage.control, -1)));
        stage.put("fox");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("bee", "fox");
        assertThat(instance.epoch()).isEqualTo(5);
    }

    @Test
    void shouldNotTakeTheFirstRecordsOfAnotherTopicForThoseItKnows() {
        threeLabels();
        stage.restart(); // nothing was handed over in this life
        topics.createAnew(LABELS);
        stage.put("owl");
        stage.passQuietly();

        assertThat(stage.new Instance().labels()).containsExactly("owl");
    }

    @Test
    void shouldKeepTheLabelsInForceWhileANewTopicIsEmpty() {
        EncoderStage.Instance instance = threeLabels();
        VocabularySnapshot before = instance.snapshot();
        stage.stop();
        topics.createAnew(LABELS);
        EncoderStage.Instance waiting = stage.new Instance();
        assertThat(waiting.isReady()).isFalse();
        stage.start();

        assertThat(waiting.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.snapshot()).as("nothing for images to follow").isSameAs(before);
        stage.restart();
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");

        for (String label : List.of("bee", "cat", "ant")) { // in an export's order
            stage.put(label);
        }
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).isEqualTo(6);
        assertThat(stage.model.encodedLabels()).isEqualTo(3);
        stage.put("bee", null);
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "cat");
    }

    @Test
    void shouldKeepALabelThatTheNewTopicHasInAVersionThatIsRefused() {
        threeLabels();
        stage.stop();
        topics.createAnew(LABELS);
        stage.put("bee", Label.newBuilder().setName("bee").setThreshold(2.0).build());
        stage.start();

        assertThat(stage.new Instance().labels())
                .as("its previous version stays in force")
                .containsExactly("bee");
        assertThat(stage.failures).hasSize(1);
    }

    @Test
    void shouldReadATopicInTransactionsThatDoNotTimeOut() {
        List.of("ant", "bee", "cat").forEach(stage::put);
        stage.startForOneLabel();
        assertThat(stage.written()).as("labels in one transaction").hasSize(1);
        stage.start();

        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
    }

    @Test
    void shouldReadANewTopicToItsEndWhereACrashInterruptedThat() {
        threeLabels();
        stage.stop();
        topics.createAnew(LABELS);
        topics.createAnew(EMBEDDINGS);
        List.of("owl", "bee").forEach(stage::put);
        stage.startForOneLabel();
        assertThat(stage.new Instance().isReady()).isFalse();
        stage.put("fox");
        stage.start();

        assertThat(stage.new Instance().labels()).containsExactly("bee", "fox", "owl");
        assertThat(stage.marker().orElseThrow().getSourceOffset()).isEqualTo(6);
    }

    @Test
    void shouldCountOnWhereTheTopicIsCreatedAnewAgainAndAgain() {
        EncoderStage.Instance instance = threeLabels();
        long epoch = 3;
        for (int turn = 0; turn < 4; turn++) {
            topics.createAnew(LABELS);
            stage.put("owl-" + turn);
            stage.passQuietly();
            assertThat(instance.labels()).containsExactly("owl-" + turn);
            assertThat(instance.epoch()).isEqualTo(++epoch);
            stage.restart();
        }
    }

    @Test
    void shouldCountAsTheEncoderOfAnotherModelDoes() {
        threeLabels();
        topics.createAnew(LABELS);
        stage.put("owl");
        stage.passQuietly();
        EncoderStage next = new EncoderStage(
                topics, registry, FakeModelRuntime.manual(FakeModelRuntime.describe("fake-2", 2, "text-2"), 1));
        next.start();

        assertThat(next.marker().orElseThrow().getSourceOffset())
                .as("tasks that used the other model's vocabulary use nothing older")
                .isEqualTo(stage.marker().orElseThrow().getSourceOffset());
        assertThat(next.new Instance().labels()).containsExactly("owl");
    }

    @Test
    void shouldComeToCountAsAnotherEncoderDoesThatCountsHigher() {
        threeLabels();
        EncoderStage other = new EncoderStage(
                topics, registry, FakeModelRuntime.manual(FakeModelRuntime.describe("fake-2", 2, "text-2"), 1));
        other.start();
        other.stop();
        other.loseProgress(); // so that its epochs continue above the earlier ones
        other.start();
        long higher = other.marker().orElseThrow().getSourceOffset();
        assertThat(higher).isGreaterThan(3);

        stage.pass(TWO_LOOKS);
        assertThat(stage.marker().orElseThrow().getSourceOffset()).isEqualTo(higher);
    }

    @Test
    void shouldPutInForceWhatItWroteAgainWhereACrashCameBeforeTheMarker() {
        threeLabels();
        topics.createAnew(EMBEDDINGS);
        stage.put("dog");
        stage.passQuietly(); // its marker counts labels that the topic lacks
        stage.stop();
        stage.startForOneLabel(); // writes these again, and no marker
        assertThat(stage.written())
                .last()
                .satisfies(record -> assertThat(record.key.isMarker()).isFalse());
        stage.start();

        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat", "dog");
    }

    @Test
    void shouldNotHangWhereCompactionMeetsAnOpenGroup() {
        threeLabels();
        stage.put("dog");
        stage.put("ant", Label.newBuilder().setName("emmet").build());
        topics.compact(EMBEDDINGS);
        stage.stop(); // before its marker
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.isReady()).isFalse();
        stage.start();

        assertThat(instance.labels()).containsExactly("ant", "bee", "cat", "dog");
    }

    @Test
    void shouldWriteAMarkerWhereNobodyHasWrittenALabel() {
        stage.start();
        assertThat(stage.marker().orElseThrow().getContent())
                .isEqualTo(new VocabularyMarker(0, topics.topicId(LABELS), -1L, TestRules.of(stage.control, -1)));
        assertThat(stage.new Instance().labels()).isEmpty();
        stage.put("ant");
        stage.passQuietly();
        assertThat(((EncodedLabel) stage.written().get(1).value.getContent()).getVectorOffset())
                .isZero();
    }

    /** Ant, bee and cat in force at epoch 3, all in the format of the version before markers named their topic. */
    private void threeLabelsOfTheVersionBefore() throws IOException {
        threeLabels();
        stage.stop();
        List<KeyValue<EmbeddingKey, LabelEmbedding>> written = stage.written();
        topics.createAnew(EMBEDDINGS);
        for (KeyValue<EmbeddingKey, LabelEmbedding> record : written) {
            stage.writeEmbedding(record.key.labelId(), VersionBefore.embedding(record.value, registry));
            if (!record.key.isMarker()) {
                stage.storeLabel(record.key.labelId(), VersionBefore.storedLabel(record.value));
            }
        }
    }

    @Test
    void shouldTakeOverWhatTheVersionBeforeWrote() throws IOException {
        threeLabelsOfTheVersionBefore();
        stage.storeProgress(VersionBefore.storedProgress(3, 3, 3));
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.isReady()).as("its markers say no rules").isFalse();
        int before = topics.records(EMBEDDINGS).size();
        stage.start();

        assertThat(topics.records(EMBEDDINGS)).as("a marker that tells more").hasSize(before + 1);
        assertThat(stage.marker().orElseThrow().getContent())
                .isEqualTo(new VocabularyMarker(3, topics.topicId(LABELS), 3L, TestRules.of(stage.control, -1)));
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).isEqualTo(3);
        stage.put("dog");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat", "dog");
        assertThat(instance.epoch()).isEqualTo(4);
        assertThat(stage.model.encodedLabels()).isEqualTo(4);
    }

    @Test
    void shouldTakeOverFromAVersionBeforeThatHadNotWrittenItsMarker() throws IOException {
        threeLabelsOfTheVersionBefore();
        stage.storeProgress(VersionBefore.storedProgress(3, 2, 3));
        stage.writeEmbedding(
                "",
                VersionBefore.embedding(
                        new LabelEmbedding(stage.fingerprint(), 2L, new VocabularyMarker(3, null, -1L, null)),
                        registry));
        topics.compact(EMBEDDINGS);
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.isReady()).isFalse();
        stage.start();

        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).isEqualTo(3);
    }

    @Test
    void shouldPutRightWhatTheVersionBeforeMadeOfATopicThatWasCreatedAnew() throws IOException {
        threeLabelsOfTheVersionBefore();
        topics.createAnew(LABELS);
        stage.put("bee");
        // it continued counting from the new topic's offsets, and no instance took what it wrote
        stage.storeProgress(VersionBefore.storedProgress(0, 0, 3));
        stage.writeEmbedding(
                "",
                VersionBefore.embedding(
                        new LabelEmbedding(stage.fingerprint(), 0L, new VocabularyMarker(3, null, -1L, null)),
                        registry));
        stage.start();

        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("bee");
        assertThat(instance.epoch()).isEqualTo(4);
    }
}
