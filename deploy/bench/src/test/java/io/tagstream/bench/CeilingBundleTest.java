/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cluster.vocabulary.BundleVocabulary;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import io.tagstream.model.onnx.DirectLabelVectors;
import io.tagstream.model.onnx.ImageScorer;
import io.tagstream.model.onnx.OnnxModelRuntime;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CeilingBundleTest {
    private static final int IMAGES = 4;
    private static final int LABELS = 100;

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(CeilingShape.class)
    void shouldGiveEveryImageAndLabelAScoreOfItsOwnAndSomeTags(CeilingShape shape) throws Exception {
        Path written = CeilingBundle.write(shape, TokenType.FLOAT16, directory.resolve("bundle"));
        Bundle bundle = Bundle.load(written);

        float[][] scores = run(bundle).scores();

        assertThat(scores[0]).doesNotHaveDuplicates();
        assertThat(scores[1]).isNotEqualTo(scores[0]);
        double threshold = bundle.description().scoring().defaultThreshold();
        for (float[] image : scores) {
            assertThat(IntStream.range(0, LABELS).filter(label -> image[label] >= threshold))
                    .hasSizeBetween(1, LABELS / 2);
        }
        assertThat(BundleVocabulary.read(written.toString())).isNotEmpty();
    }

    /** So a bundle may change from one to the other and keep its features. */
    @ParameterizedTest
    @EnumSource(CeilingShape.class)
    void shouldGiveTheSameFeaturesAndScoresWhetherTheGraphsRoundTokensOrTheRuntime(CeilingShape shape)
            throws Exception {
        Outcome rounded = run(Bundle.load(CeilingBundle.write(shape, TokenType.FLOAT16, directory.resolve("float16"))));
        Outcome whole = run(Bundle.load(CeilingBundle.write(shape, TokenType.FLOAT32, directory.resolve("float32"))));

        assertThat(rounded.scores()).isDeepEqualTo(whole.scores());
        for (int i = 0; i < IMAGES; i++) {
            assertThat(rounded.features().get(i).bytes())
                    .isEqualTo(whole.features().get(i).bytes());
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared as a whole
    private record Outcome(float[][] scores, List<ImageFeatures> features) {}

    private static Outcome run(Bundle bundle) throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(bundle).inferenceThreads(1).build();
                ImageScorer scorer = runtime.scorer()) {
            List<LabelVector> labels = new ArrayList<>();
            for (int i = 0; i < LABELS; i++) {
                labels.add(runtime.encodeLabel(new LabelText("label " + i, List.of())));
            }
            Random random = new Random(3);
            for (int i = 0; i < IMAGES; i++) {
                byte[] pixels = new byte[scorer.pixelBytes()];
                random.nextBytes(pixels);
                scorer.pixels(i).put(pixels);
            }
            List<ImageFeatures> features = scorer.encode(IMAGES);
            return new Outcome(scorer.score(features, new DirectLabelVectors(labels)), features);
        }
    }
}
