/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelTextException.Reason;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.text.TextGraph.TextGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LabelTextEncoderTest {
    private final Bundle bundle = Bundle.load("classpath:io/tagstream/bundles/tiny");
    // prompts are encoded in parallel, so they are recorded in any order
    private final List<long[]> encoded = Collections.synchronizedList(new ArrayList<>());
    private boolean fails;
    private final LabelTextEncoder encoder = new LabelTextEncoder(bundle, this::encode);

    @AfterEach
    void close() {
        encoder.close();
    }

    @Test
    void shouldEncodeEachTemplateWithoutTheTruncationAndPaddingOfTheTokenizersFile() throws Exception {
        encoder.encode(new LabelText("red dog", List.of()));
        // [CLS] a photo of a red dog . [SEP] is longer than 8 tokens, to which the file truncates
        assertThat(encoded).extracting(tokens -> tokens.length).containsExactlyInAnyOrder(9, 4);
        assertThat(encoded.stream().flatMapToLong(Arrays::stream)).doesNotContain(0L);
    }

    @Test
    void shouldLetOwnPromptsReplaceTheTemplates() throws Exception {
        encoder.encode(new LabelText("dog", List.of("a {} in the snow", "cat")));
        assertThat(encoded).extracting(tokens -> tokens.length).containsExactlyInAnyOrder(7, 3);
    }

    @Test
    void shouldAverageNormaliseCentreAndNormaliseAgain() throws Exception {
        LabelVector vector = encoder.encode(new LabelText("dog", List.of("dog", "red red")));
        float[] center = bundle.textCenter().orElseThrow();
        double[] expected = new double[center.length];
        // the graph below puts 3 and 4 tokens in the first and second place; at unit norm both prompts weigh the same
        double norm = Math.sqrt(2);
        expected[3] += 1 / norm;
        expected[4] += 1 / norm;
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            expected[i] -= center[i];
            squares += expected[i] * expected[i];
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) vector.vector()[i]).isCloseTo(expected[i] / Math.sqrt(squares), within(1e-6));
        }
    }

    @Test
    void shouldGiveTheStatisticsOverTheReferenceEmbeddings() throws Exception {
        LabelVector vector = encoder.encode(new LabelText("dog", List.of()));
        double[] cosines = Arrays.stream(bundle.referenceEmbeddings())
                .mapToDouble(row -> {
                    double cosine = 0;
                    for (int i = 0; i < row.length; i++) {
                        cosine += (double) row[i] * vector.vector()[i];
                    }
                    return cosine;
                })
                .toArray();
        double mean = Arrays.stream(cosines).average().orElseThrow();
        double variance = Arrays.stream(cosines)
                .map(cosine -> (cosine - mean) * (cosine - mean))
                .average()
                .orElseThrow();
        assertThat((double) vector.referenceMean()).isCloseTo(mean, within(1e-6));
        assertThat((double) vector.referenceDeviation()).isCloseTo(Math.sqrt(variance), within(1e-6));
    }

    @Test
    void shouldSayWhatIsWrongWithAText() {
        assertFails(new LabelText(" ", List.of()), Reason.EMPTY_NAME, "name is empty");
        assertFails(new LabelText("dog", List.of("dog", "")), Reason.BAD_PROMPT, "\"dog\" has an empty prompt");
        assertFails(new LabelText("dog", Collections.nCopies(65, "dog")), Reason.TOO_MANY_PROMPTS, "65 prompts", "64");
        assertFails(
                new LabelText("dog ".repeat(20), List.of()),
                Reason.TEXT_TOO_LONG,
                "tokens, but the model takes at most 16");
        fails = true;
        assertFails(new LabelText("dog", List.of()), Reason.MODEL_ERROR, "broken");
    }

    private void assertFails(LabelText text, Reason reason, String... inMessage) {
        assertThatThrownBy(() -> encoder.encode(text))
                .isInstanceOfSatisfying(
                        LabelTextException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageContainingAll(inMessage);
    }

    /** The length of a text decides where its vector points. */
    private float[] encode(long[] tokens) {
        if (fails) {
            throw new TextGraphException("broken", null);
        }
        encoded.add(tokens);
        float[] vector = new float[bundle.description().image().embeddingSize()];
        vector[tokens.length] = tokens.length;
        return vector;
    }
}
