/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cluster.vocabulary.BundleVocabulary;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
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
        Path written = CeilingBundle.write(shape, directory.resolve("bundle"));
        Bundle bundle = Bundle.load(written);

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
            float[][] scores = scorer.score(IMAGES, new DirectLabelVectors(labels));

            assertThat(scores[0]).doesNotHaveDuplicates();
            assertThat(scores[1]).isNotEqualTo(scores[0]);
            double threshold = bundle.description().scoring().defaultThreshold();
            for (float[] image : scores) {
                assertThat(IntStream.range(0, LABELS).filter(label -> image[label] >= threshold))
                        .hasSizeBetween(1, LABELS / 2);
            }
        }
        assertThat(BundleVocabulary.read(written.toString())).isNotEmpty();
    }
}
