/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.Cause;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScoreCheckTest {
    private static final Map<String, Integer> LABELS = Map.of("cat", 0, "dog", 1, "tree", 2);
    private static final float[][] SCORES = {{0.9f, 0.6f, 0.1f}};

    @Test
    void shouldAcceptWhatTheBareLoopScored() {
        ScoreCheck check = check(SCORES, 10);
        check.check(0, event(tag("cat", 0.90005f), tag("dog", 0.6f)));
        assertThat(check.checked()).isOne();
        assertThat(check.largestDifference()).isBetween(4e-5, 6e-5);
    }

    @Test
    void shouldAcceptEitherDecisionAtTheThreshold() {
        float[][] scores = {{0.9f, 0.50001f, 0.1f}};
        assertThatCode(() -> check(scores, 10).check(0, event(tag("cat", 0.9f))))
                .doesNotThrowAnyException();
        assertThatCode(() -> check(scores, 10).check(0, event(tag("cat", 0.9f), tag("dog", 0.5f))))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldAcceptWhatTopKCuts() {
        assertThatCode(() -> check(SCORES, 1).check(0, event(tag("cat", 0.9f)))).doesNotThrowAnyException();
    }

    @Test
    void shouldRefuseUnlikeWork() {
        assertUnlike(event(tag("cat", 0.9f)), "photo.jpg 1 tags", "give 2");
        assertUnlike(event(tag("cat", 0.9f), tag("dog", 0.7f)), "a score of 0.7", "the bare loop has 0.6");
        assertUnlike(event(tag("cat", 0.9f), tag("car", 0.6f)), "\"car\" that is not one of the labels");
        assertUnlike(event(tag("cat", 0.9f), tag("dog", 0.6f), tag("tree", 0.5f)), "3 tags");
    }

    private static void assertUnlike(TagEvent event, String... message) {
        ScoreCheck check = check(SCORES, 10);
        assertThatThrownBy(() -> check.check(0, event))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("do not do the same work")
                .hasMessageContainingAll(message);
        assertThat(check.checked()).isZero();
    }

    private static ScoreCheck check(float[][] scores, int topK) {
        return new ScoreCheck(List.of("photo.jpg"), LABELS, scores, 0.5, topK);
    }

    private static Tag tag(String labelId, float score) {
        return new Tag(labelId, labelId, score, 0.5f);
    }

    private static TagEvent event(Tag... tags) {
        return TagEvent.newBuilder()
                .setUri("file:///photo.jpg")
                .setSha256("0".repeat(64))
                .setWidth(1)
                .setHeight(1)
                .setTags(List.of(tags))
                .setModel(new Model("m", "1"))
                .setVocabularyEpoch(0)
                .setCause(Cause.NEW_IMAGE)
                .setTaggedAt(Instant.EPOCH)
                .build();
    }
}
