/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static io.tagstream.topology.labels.EncoderStage.EMBEDDINGS;
import static io.tagstream.topology.labels.EncoderStage.LABELS;
import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.TagPolicy;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.control.Controls;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The model and the tag policy in the order of markers. */
class LabelEncoderRulesTest {
    private static final Duration CHECK_AND_MARKER = Duration.ofSeconds(1);
    private static final Duration TWO_LOOKS = Duration.ofSeconds(25);

    private final SchemaRegistry registry = SchemaRegistries.inMemory();
    private final FakeTopics topics = new FakeTopics();
    private final EncoderStage stage = new EncoderStage(topics, registry, FakeModelRuntime.manual(1));

    /** Ant and bee in force, at epoch 1. */
    @BeforeEach
    void start() {
        stage.start();
        stage.put("ant");
        stage.put("bee");
        stage.passQuietly();
        assertThat(epoch()).isEqualTo(1);
        assertThat(rules().getSince()).as("nothing was before").isEqualTo(-1);
    }

    @Test
    void shouldGiveEveryChangeAnEpochOfItsOwn() {
        change(0.4, 0.05);
        assertThat(epoch()).isEqualTo(2);
        assertThat(rules().getPolicy().getMinScore()).isEqualTo(0.4);
        assertThat(rules().getSince()).isEqualTo(2);
        assertThat(rules().getFloorSince()).as("the floor is as before").isEqualTo(-1);

        stage.put("cat");
        stage.passQuietly();
        assertThat(epoch()).isEqualTo(3);
        assertThat(stage.new Instance().snapshot().labels())
                .filteredOn(label -> label.id().equals("cat"))
                .as("images of epoch 2 have not followed it")
                .allSatisfy(label -> assertThat(label.vectorEpoch()).isEqualTo(3));
        assertThat(rules().getSince()).isEqualTo(2);
    }

    @Test
    void shouldSaySinceWhenScoresAreKeptDownToTheFloor() {
        change(0.4, 0.3);
        assertThat(rules().getFloorSince()).as("more was kept before").isEqualTo(-1);
        change(0.4, 0.2);
        assertThat(rules().getFloorSince()).isEqualTo(epoch());
        change(0.5, 0.2);
        assertThat(rules().getFloorSince()).isEqualTo(epoch() - 1);
    }

    @Test
    void shouldPutChangesOfLabelsAndRulesInForceTogether() {
        int before = stage.written().size();
        stage.put("cat");
        next(0.4, 0.05);
        stage.pass(Duration.ofMillis(600));
        stage.pass(CHECK_AND_MARKER);

        assertThat(epoch()).isEqualTo(3);
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee", "cat");
        assertThat(stage.written().size()).isGreaterThan(before);
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, true", "true, true"})
    void shouldKeepRulesAndEpochWhereOneOfItsMemoriesIsLost(boolean progress, boolean labels) {
        change(0.4, 0.05);
        MarkerRules before = rules();
        stage.stop();
        if (progress) {
            stage.loseProgress();
        }
        if (labels) {
            stage.loseLabels();
        }
        stage.start();
        stage.pass(CHECK_AND_MARKER);

        assertThat(rules()).isEqualTo(before);
        assertThat(epoch()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void shouldKeepRulesAndEpochWhereLabelEmbeddingsIsLost() {
        change(0.4, 0.05);
        MarkerRules before = rules();
        topics.createAnew(EMBEDDINGS);
        stage.pass(TWO_LOOKS);

        assertThat(rules()).isEqualTo(before);
        assertThat(epoch()).isEqualTo(2);
    }

    @Test
    void shouldTakeNoOlderRules() {
        ClusterControl old = stage.control;
        change(0.4, 0.05);
        stage.control = old; // as an instance sees it that lags behind
        stage.restart();
        stage.pass(TWO_LOOKS);

        assertThat(rules().getPolicy().getMinScore()).isEqualTo(0.4);
        assertThat(epoch()).isEqualTo(2);
    }

    @Test
    void shouldTakeRulesWhileANewVocabularyIsEmpty() {
        topics.createAnew(LABELS);
        stage.restart();
        change(0.4, 0.05);

        assertThat(epoch()).isEqualTo(2);
        assertThat(stage.new Instance().labels()).containsExactly("ant", "bee");
        stage.restart();
        assertThat(epoch()).as("counted once").isEqualTo(2);
        stage.put("cat");
        stage.passQuietly();
        assertThat(epoch()).isGreaterThan(2);
        assertThat(stage.new Instance().labels()).containsExactly("cat");
    }

    @Test
    void shouldCountAsAnotherEncoderDoesThatStartsLater() {
        change(0.4, 0.05);
        stage.put("cat");
        stage.passQuietly();
        EncoderStage other = new EncoderStage(
                topics, registry, FakeModelRuntime.manual(FakeModelRuntime.describe("fake-2", 2, "text-2"), 1));
        other.control = stage.control;
        other.start();

        assertThat(other.marker().orElseThrow().getSourceOffset()).isEqualTo(epoch());
        other.control = Controls.next(
                        stage.control,
                        Controls.release(other.model.description()),
                        stage.control.getPolicy(),
                        Instant.EPOCH)
                .orElseThrow();
        other.pass(CHECK_AND_MARKER);
        assertThat(other.marker().orElseThrow().getSourceOffset())
                .as("above all that the bundle before has used")
                .isEqualTo(epoch() + 1);
    }

    private void change(double minScore, double floor) {
        next(minScore, floor);
        stage.pass(CHECK_AND_MARKER);
    }

    private void next(double minScore, double floor) {
        stage.control = Controls.next(
                        stage.control, stage.control.getBundle(), new TagPolicy(minScore, null, floor), Instant.EPOCH)
                .orElseThrow();
    }

    private long epoch() {
        return stage.marker().orElseThrow().getSourceOffset();
    }

    private MarkerRules rules() {
        return ((VocabularyMarker) stage.marker().orElseThrow().getContent()).getRules();
    }
}
