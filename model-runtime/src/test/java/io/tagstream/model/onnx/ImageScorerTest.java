/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageScorerTest {
    private static final float AGREEMENT = 1e-4f;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {TinyBundle.LOCATION, "classpath:io/tagstream/bundles/everyday"})
    void shouldScoreAnImageTheSameAloneAndAmongOthers(String location) throws Exception {
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load(location))
                        .batchSize(32)
                        .build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            for (int i = 0; i < 32; i++) {
                TinyBundle.fillWithNoise(scorer.pixels(i), i);
            }
            float[][] together = scorer.score(32, labels);
            // 7 = 4 + 2 + 1: a size between two buckets
            float[][] seven = scorer.score(7, labels);
            for (int i = 0; i < 32; i += 5) {
                TinyBundle.fillWithNoise(scorer.pixels(0), i);
                assertThat(scorer.score(1, labels)[0]).containsExactly(together[i], within(AGREEMENT));
            }
            for (int i = 0; i < 7; i++) {
                assertThat(seven[i]).containsExactly(together[i], within(AGREEMENT));
            }
        }
    }

    @Test
    void shouldScoreALabelTheSameAloneAndAmongManyChunksOfOthers() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).batchSize(4).build();
                ImageScorer scorer = runtime.scorer()) {
            TinyBundle.fillWithNoise(scorer.pixels(0), 1);
            LabelVector first =
                    TinyBundle.vectors(TinyBundle.labels(runtime, 1)).get(0);
            LabelVector other =
                    TinyBundle.vectors(TinyBundle.labels(runtime, 2)).get(1);
            // a chunk holds 2048 labels here
            int count = 5000;
            List<LabelVector> many = new ArrayList<>(Collections.nCopies(count, other));
            many.set(2048, first);
            many.set(count - 1, first);
            float[] scores = scorer.score(1, new DirectLabelVectors(many))[0];
            float alone = scorer.score(1, new DirectLabelVectors(List.of(first)))[0][0];
            assertThat(scores).hasSize(count);
            assertThat(scores[2048]).isCloseTo(alone, within(AGREEMENT));
            assertThat(scores[count - 1]).isCloseTo(alone, within(AGREEMENT));
            assertThat(scores[0]).isNotCloseTo(alone, within(1e-3f)).isCloseTo(scores[2047], within(AGREEMENT));
        }
    }

    @Test
    void shouldScoreAgainstNoLabels() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).build();
                ImageScorer scorer = runtime.scorer()) {
            assertThat(scorer.score(3, new DirectLabelVectors(List.of()))).hasDimensions(3, 0);
        }
    }

    @Test
    void shouldScoreByCosineAloneWithoutADecoder() throws Exception {
        TinyBundle.copyTo(folder);
        TinyBundle.change(folder, "(?s)\"decoder\": \\{.*?\\},", "");
        // the self-test has the scores with the decoder
        TinyBundle.change(folder, "\"tolerance\": 0.002", "\"tolerance\": 1");
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(Bundle.load(folder)).build();
                ImageScorer scorer = runtime.scorer()) {
            // the label is one of the reference images, so its cosine with that image is 1
            float[] image = Bundle.load(folder).referenceEmbeddings()[0];
            scorer.pixels(0).put(Bundle.load(folder).selfTestPixels().slice(0, scorer.pixelBytes()));
            LabelVector same = new LabelVector(image, 0.1f, 0.2f);
            double standardised = (1 - 0.1) / 0.2;
            double expected = 1 / (1 + Math.exp(-(0.5 * standardised - 0.5)));
            assertThat((double) scorer.score(1, new DirectLabelVectors(List.of(same)))[0][0])
                    .isCloseTo(expected, within(1e-4));
        }
    }

    @Test
    void shouldRefuseLabelVectorsOfAnotherLength() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors wrong = new DirectLabelVectors(List.of(new LabelVector(new float[5], 0, 1)));
            assertThatThrownBy(() -> scorer.score(1, wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 label vectors of 16 floats need 16 floats, not 5");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TinyBundle.LOCATION, "classpath:io/tagstream/bundles/everyday"})
    void shouldScoreFeaturesTheSameHoweverManyThereAre(String location) throws Exception {
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load(location))
                        .batchSize(4)
                        .build();
                ImageScorer scorer = runtime.scorer()) {
            List<ImageFeatures> images = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                TinyBundle.fillWithNoise(scorer.pixels(0), i);
                images.addAll(scorer.encode(1));
            }
            List<ImageFeatures> many = new ArrayList<>();
            for (int i = 0; i < 150; i++) {
                many.add(images.get(i % 10));
            }
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            float[][] together = scorer.score(many, labels);
            for (int i = 0; i < 10; i++) {
                float[] alone = scorer.score(List.of(images.get(i)), labels)[0];
                for (int copy = i; copy < many.size(); copy += 10) {
                    assertThat(together[copy]).containsExactly(alone, within(1e-5f));
                }
            }
        }
    }

    @Test
    void shouldHaveOthersWaitForAFewImagesOnly() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).batchSize(8).build();
                ImageScorer scorer = runtime.scorer()) {
            LabelVector label =
                    TinyBundle.vectors(TinyBundle.labels(runtime, 1)).get(0);
            assertThat(imagesPerPart(scorer, label, 0)).isEqualTo(64);
            assertThat(imagesPerPart(scorer, label, 1)).isEqualTo(64);
            assertThat(imagesPerPart(scorer, label, 100_000)).isBetween(20, 30);
        }
    }

    private static int imagesPerPart(ImageScorer scorer, LabelVector label, int labels) {
        return scorer.imagesPerPart(new DirectLabelVectors(Collections.nCopies(labels, label)));
    }
}
