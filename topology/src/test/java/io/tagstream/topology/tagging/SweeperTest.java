/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Cause;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.LabelScore;
import io.tagstream.avro.state.TagTurn;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SweeperTest {
    private TaggingHarness harness;

    private TaggingHarness start(Object... settings) {
        harness = new TaggingHarness(settings);
        return harness;
    }

    @AfterEach
    void close() {
        harness.close();
    }

    @Test
    void shouldTagKnownImagesWithANewLabelDecodingThatAlone() {
        start().add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:dog");
        harness.tags.readValuesToList();
        int encoded = harness.model.encodedImages();
        int decoded = harness.model.decodedPairs();

        harness.add("car");
        harness.mark();
        harness.sweep();

        List<KeyValue<String, TagEvent>> events = harness.tags.readKeyValuesToList();
        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.key).isEqualTo("a");
            assertThat(ids(event.value)).containsExactly("car", "dog");
            assertThat(event.value.getCause()).isEqualTo(Cause.VOCABULARY_CHANGED);
            assertThat(event.value.getVocabularyEpoch()).isEqualTo(harness.epoch());
        });
        assertThat(harness.model.encodedImages()).as("images encoded").isEqualTo(encoded);
        assertThat(harness.model.decodedPairs()).as("images decoded").isEqualTo(decoded + 2);
        assertThat(harness.changes.readValuesToList().get(2))
                .extracting(TagChange::getCause, change -> change.getAdded().size())
                .containsExactly(Cause.VOCABULARY_CHANGED, 1);
        assertThat(harness.count("tagstream.sweep.images", "tags", "changed")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"removed", "shadow", "threshold"})
    void shouldTakeBackTagsWithoutDecoding(String how) {
        start().add("dog");
        harness.add("car");
        harness.mark();
        harness.tag("a", "any:a");
        harness.tag("b", "fake:dog+car");
        harness.latestTags();
        int decoded = harness.model.decodedPairs();

        switch (how) {
            case "removed" -> harness.remove("dog");
            case "shadow" -> harness.edit("dog", harness.vocabulary.get("dog").in(LabelState.SHADOW));
            default -> harness.edit("dog", harness.vocabulary.get("dog").at(1.0));
        }
        if (how.equals("threshold")) { // a score of 1 reaches any
            harness.edit("car", harness.vocabulary.get("car").in(LabelState.SHADOW));
        }
        harness.mark();
        harness.sweep();

        assertThat(harness.model.decodedPairs()).isEqualTo(decoded);
        String left = how.equals("threshold") ? "dog" : "car";
        assertThat(harness.latestTags().get("b")).extracting(Tag::getLabelId).containsExactly(left);
        assertThat(harness.known("b").getHistory())
                .last()
                .extracting(TagTurn::getAdded, TagTurn::getCause, TagTurn::getVocabularyEpoch)
                .containsExactly(false, Cause.VOCABULARY_CHANGED, harness.epoch());
    }

    @Test
    void shouldAddTagsWithoutDecodingWhenAThresholdFallsToWhatIsKept() {
        start(TagstreamConfig.IMAGE_SCORES_FLOOR, 0.2).add("dog");
        harness.mark();
        harness.tag("a", "fake:cat");
        int decoded = harness.model.decodedPairs();

        harness.edit("dog", harness.vocabulary.get("dog").at(0.25));
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).extracting(Tag::getThreshold).containsExactly(0.25f);
        assertThat(harness.model.decodedPairs()).isEqualTo(decoded);
    }

    @Test
    void shouldDecodeWhenAThresholdFallsBelowWhatIsKept() {
        start(TagstreamConfig.IMAGE_SCORES_FLOOR, 0.3).add("dog");
        harness.mark();
        harness.tag("a", "fake:cat");
        harness.edit("dog", harness.vocabulary.get("dog").at(0.2));
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).extracting(Tag::getLabelId).containsExactly("dog");
    }

    @Test
    void shouldFollowAPolicyWithoutDecoding() {
        start(TagstreamConfig.IMAGE_SCORES_FLOOR, 0.2).add("dog");
        harness.mark();
        harness.tag("a", "fake:cat");
        int decoded = harness.model.decodedPairs();

        harness.change(new TagPolicy(0.25, null, 0.2));
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).extracting(Tag::getThreshold).containsExactly(0.25f);
        assertThat(harness.model.decodedPairs()).isEqualTo(decoded);
        assertThat(harness.changes.readValue().getCause()).isEqualTo(Cause.VOCABULARY_CHANGED);
    }

    @Test
    void shouldDecodeWhereThePolicyNeedsScoresThatWereNotKept() {
        start(TagstreamConfig.IMAGE_SCORES_FLOOR, 0.4).add("dog");
        harness.mark();
        harness.tag("a", "fake:cat");

        harness.change(new TagPolicy(0.25, null, 0.4));
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).extracting(Tag::getLabelId).containsExactly("dog");
    }

    @Test
    void shouldKeepLowerScoresOnceTheFloorFalls() {
        start(TagstreamConfig.IMAGE_SCORES_FLOOR, 0.4).add("dog");
        harness.mark();
        harness.tag("a", "fake:cat");
        assertThat(harness.known("a").getScores()).isEmpty();

        harness.change(new TagPolicy(null, null, 0.2));
        harness.mark();
        harness.sweep();

        assertThat(harness.known("a").getScores())
                .extracting(LabelScore::getLabelId)
                .containsExactly("dog");
        assertThat(harness.model.encodedImages()).as("from its features").isEqualTo(1);
    }

    @Test
    void shouldRenameWithoutDecoding() {
        start().add("dog");
        harness.mark();
        harness.tag("a", "fake:dog");
        int decoded = harness.model.decodedPairs();
        harness.edit("dog", harness.vocabulary.get("dog").renamed("Hund"));
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).extracting(Tag::getName).containsExactly("Hund");
        assertThat(harness.model.decodedPairs()).isEqualTo(decoded);
    }

    @Test
    void shouldReadImagesAgainOfWhichNothingIsKept() {
        start(TagstreamConfig.IMAGE_FEATURES, "none").add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:car");
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(harness.model.encodedImages()).isEqualTo(4);
        assertThat(harness.latestTags().get("b")).extracting(Tag::getLabelId).containsExactly("car");
    }

    @Test
    void shouldKeepTheTagsOfAnImageThatCannotBeReadAgain() {
        start(TagstreamConfig.IMAGE_FEATURES, "none").add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:dog+car");
        harness.latestTags();
        harness.model.remove("fake:dog+car");
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags()).isEmpty();
        assertThat(harness.failures.isEmpty()).as("it has its outcome").isTrue();
        assertThat(harness.count("tagstream.sweep.stale")).isEqualTo(2);
        ImageMeta stale = harness.known("a");
        assertThat(stale.getTags()).extracting(Tag::getLabelId).containsExactly("dog");
        assertThat(stale.getStale()).isTrue();
        assertThat(stale.getVocabularyEpoch()).isEqualTo(harness.epoch() - 1);
        assertThat(harness.metrics.get("tagstream.sweep.left").gauge().value()).isZero();
    }

    @Test
    void shouldDropTheOldestFeaturesAndReadThoseImagesAgain() {
        start(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT, 2L).add("dog");
        harness.mark();
        for (String id : List.of("d", "c", "b", "a")) {
            harness.tag(id, "fake:car+" + id);
        }
        harness.latestTags();
        assertThat(harness.metrics.get("tagstream.known.features").gauge().value())
                .isEqualTo(2);
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(harness.latestTags()).containsOnlyKeys("a", "b", "c", "d");
        assertThat(harness.model.encodedImages()).as("c and d once more").isEqualTo(6);
    }

    @Test
    void shouldNotEncodeTheSameBytesAgain() {
        start().add("dog");
        harness.mark();
        harness.tag("a", "fake:dog");
        Long features = harness.known("a").getFeatures();
        harness.tag("a", "fake:dog");

        assertThat(harness.model.encodedImages()).isEqualTo(1);
        assertThat(harness.known("a").getFeatures()).isEqualTo(features);
        harness.tag("a", "fake:cat");
        assertThat(harness.model.encodedImages()).isEqualTo(2);
        assertThat(harness.metrics.get("tagstream.known.features").gauge().value())
                .as("another version's are of no use")
                .isEqualTo(1);
        harness.delete("a");
        assertThat(harness.metrics.get("tagstream.known.features").gauge().value())
                .isZero();
        assertThat(harness.metrics.get("tagstream.known.images").gauge().value())
                .isZero();
    }

    @Test
    void shouldLeaveAnImageToWhoeverSubmittedItAgain() {
        start(TagstreamConfig.IMAGE_FEATURES, "none").add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car");
        harness.latestTags();
        harness.add("car");
        harness.mark();
        harness.step(); // the sweep begins to read it
        for (int i = 0; i < 50; i++) {
            harness.step();
        }
        assertThat(harness.model.waiting()).isEqualTo(1);
        harness.submit("a", "fake:cat");
        harness.model.completeAllReversed();
        harness.step();
        harness.sweep();

        assertThat(harness.latestTags().get("a")).as("the newer version's").isEmpty();
        assertThat(harness.known("a").getTags()).isEmpty();
    }

    @Test
    void shouldScoreFromWhatTheNewModelReadWhileALabelWasEdited() {
        start().add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car+cat");
        harness.restart(FakeModelRuntime.manual(FakeModelRuntime.describe("fake-2", 2, "text-1"), 10));
        steps(60);
        assertThat(harness.model.waiting()).as("the new model reads it").isEqualTo(1);
        harness.model.score(1);
        harness.add("car");
        harness.mark();
        steps(60); // the sweep for the newer vocabulary relies on that reading
        harness.land();
        harness.sweep();
        assertThat(harness.known("a").getTags()).extracting(Tag::getLabelId).containsExactly("car", "dog");

        harness.add("cat");
        harness.mark();
        harness.sweep();

        assertThat(harness.known("a").getTags()).extracting(Tag::getLabelId).containsExactly("car", "cat", "dog");
        assertThat(harness.known("a").getModel().getVersion()).isEqualTo("fake-2");
        assertThat(harness.model.encodedImages()).as("read once").isEqualTo(1);
    }

    private void steps(int turns) {
        for (int turn = 0; turn < turns; turn++) {
            harness.step();
        }
    }

    @Test
    void shouldReadTheVersionThatLandedWhileTheOneBeforeWasRead() {
        start(TagstreamConfig.IMAGE_FEATURES, "none").add("dog");
        harness.mark();
        harness.tag("a", "fake:dog+car");
        harness.add("car");
        harness.mark();
        harness.submit("a", "fake:car+cat");
        steps(60);
        assertThat(harness.model.waiting())
                .as("the upload, and the version before it")
                .isEqualTo(2);
        harness.model.complete(1);
        harness.add("cat");
        harness.mark();
        harness.step(); // the upload lands without the newest label, and the sweep for it begins
        steps(60);
        harness.land();
        harness.sweep();

        assertThat(harness.known("a").getTags()).extracting(Tag::getLabelId).containsExactly("car", "cat");
    }

    @Test
    void shouldFollowAVocabularyThatChangesMeanwhile() {
        start(TagstreamConfig.SWEEP_MAX_RATE, 70).add("dog");
        harness.mark();
        for (int i = 0; i < 200; i++) {
            harness.submit("image-%03d".formatted(i), "fake:dog+car+cat");
        }
        harness.land();
        harness.latestTags();
        harness.add("car");
        harness.mark();
        for (int i = 0; i < 60; i++) {
            harness.step();
        }
        harness.add("cat");
        harness.mark();
        long end = System.nanoTime() + 30_000_000_000L;
        while (harness.metrics.get("tagstream.sweep.left").gauge().value() > 0
                || harness.known("image-000").getVocabularyEpoch() < harness.epoch()) {
            harness.step();
            assertThat(System.nanoTime()).as("a sweep that ends").isLessThan(end);
        }

        for (int i = 0; i < 200; i++) {
            assertThat(harness.known("image-%03d".formatted(i)).getTags())
                    .extracting(Tag::getLabelId)
                    .as("image %d", i)
                    .containsExactly("car", "cat", "dog");
        }
    }

    @Test
    void shouldGiveWayWhereTheModelHasNoRoom() {
        start().add("dog");
        harness.mark();
        harness.tag("a", "fake:car");
        harness.latestTags();
        harness.model.holdBackground(true);
        harness.add("car");
        harness.mark();
        harness.sweep();
        assertThat(harness.latestTags()).isEmpty();
        harness.tag("b", "fake:dog");
        assertThat(harness.latestTags()).containsOnlyKeys("b");
        assertThat(harness.metrics.get("tagstream.sweep.left").gauge().value()).isPositive();

        harness.model.holdBackground(false);
        harness.sweep();
        assertThat(harness.latestTags()).containsOnlyKeys("a");
    }

    @Test
    void shouldDecodeEverythingAgainWhenCandidatesAreToBeSelected() {
        start(TagstreamConfig.VOCABULARY_CANDIDATES_FROM, 3).add("a");
        harness.add("b");
        harness.mark();
        harness.tag("x", "any:x");
        assertThat(harness.known("x").getSelection()).isEqualTo("all");
        int decoded = harness.model.decodedPairs();
        harness.add("c");
        harness.mark();
        harness.sweep();

        assertThat(harness.known("x").getSelection()).isEqualTo("candidates");
        assertThat(harness.model.decodedPairs()).isEqualTo(decoded + 3);
        harness.add("d");
        harness.mark();
        harness.sweep();
        assertThat(harness.model.decodedPairs()).isEqualTo(decoded + 4);
    }

    @Test
    void shouldSayThatATopSelectionIsApproximate() {
        start(TagstreamConfig.VOCABULARY_SELECTION, "top-2").add("dog");
        harness.mark();
        harness.tag("a", "fake:dog");

        assertThat(harness.tags.readValue().getModel().getVersion()).isEqualTo("fake-1+top-2");
    }

    @Test
    void shouldCountWhatShadowLabelsWouldTag() {
        start().add("dog");
        harness.edit("car", new TaggingHarness.Entry("car", "car", null, LabelState.SHADOW, 2));
        harness.mark();
        harness.tag("a", "fake:dog+car");

        assertThat(harness.latestTags().get("a")).extracting(Tag::getLabelId).containsExactly("dog");
        assertThat(harness.count("tagstream.shadow.tags")).isEqualTo(1);
    }

    private static List<String> ids(TagEvent event) {
        return event.getTags().stream().map(Tag::getLabelId).toList();
    }
}
