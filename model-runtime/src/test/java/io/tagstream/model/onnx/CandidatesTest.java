/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Labels that are decoded, and those that are not. */
class CandidatesTest {
    private static final float AGREEMENT = 1e-5f;
    private static final int WORDS = 11;
    private static final int LABELS = WORDS * (WORDS + 1) / 2;
    private static final int IMAGES = 8;
    /** By the cosine alone, and together with what the decoder expects to be common. */
    private static final String BY_COSINE = "\"candidateCutoff\": 0.5";

    private static final String BY_PRIOR = "\"candidateCutoff\": 0.3, \"candidatePriorWeight\": 0.4";

    @TempDir
    Path folder;

    private OnnxModelRuntime runtime;
    private ImageScorer scorer;
    private List<LabelVector> labels;
    private List<ImageFeatures> images;

    @AfterEach
    void close() {
        scorer.close();
        runtime.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {BY_COSINE, BY_PRIOR})
    void shouldScoreCandidatesAsAmongAllLabelsAndNothingElse(String rule) throws Exception {
        open(tiny(rule));
        float[][] all = scorer.score(images, new DirectLabelVectors(labels));
        DirectLabelVectors selecting = new DirectLabelVectors(labels, LabelSelection.CANDIDATES);
        float[][] together = scorer.score(images, selecting);
        Set<Boolean> found = new HashSet<>();
        for (int image = 0; image < IMAGES; image++) {
            List<LabelEvidence> evidence = runtime.explain(images.get(image), selecting);
            evidence.forEach(label -> found.add(label.candidate()));
            float[] alone = scorer.score(List.of(images.get(image)), selecting)[0];
            for (int label = 0; label < LABELS; label++) {
                float expected = evidence.get(label).candidate() ? all[image][label] : ImageScores.NOT_DECODED;
                assertThat(together[image][label]).isCloseTo(expected, within(AGREEMENT));
                assertThat(alone[label]).isCloseTo(expected, within(AGREEMENT));
            }
        }
        assertThat(found).containsExactlyInAnyOrder(true, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {BY_COSINE, BY_PRIOR})
    void shouldNotMakeALabelACandidateForTheSakeOfOthers(String rule) throws Exception {
        open(tiny(rule));
        float[][] among = scorer.score(images, new DirectLabelVectors(labels, LabelSelection.CANDIDATES));
        for (int label = 0; label < LABELS; label += 7) {
            List<LabelVector> one = List.of(labels.get(label));
            float[][] alone = scorer.score(images, new DirectLabelVectors(one, LabelSelection.CANDIDATES));
            for (int image = 0; image < IMAGES; image++) {
                assertThat(alone[image][0]).isCloseTo(among[image][label], within(AGREEMENT));
            }
        }
    }

    @Test
    void shouldScoreCandidatesOfTheBundleThatComesWithTagstreamAsAmongAllLabels() throws Exception {
        open(Bundle.load("classpath:io/tagstream/bundles/everyday"));
        float[][] all = scorer.score(images, new DirectLabelVectors(labels));
        float[][] candidates = scorer.score(images, new DirectLabelVectors(labels, LabelSelection.CANDIDATES));
        int decoded = 0;
        for (int image = 0; image < IMAGES; image++) {
            for (int label = 0; label < LABELS; label++) {
                if (candidates[image][label] != ImageScores.NOT_DECODED) {
                    decoded++;
                    assertThat(candidates[image][label]).isCloseTo(all[image][label], within(AGREEMENT));
                }
            }
        }
        assertThat(decoded).isBetween(1, IMAGES * LABELS - 1);
    }

    @Test
    void shouldCutNoCandidatesHoweverManyThereAre() throws Exception {
        open(tiny("\"candidateCutoff\": -100, \"candidatePriorWeight\": 0.1"));
        // ten chunks for an image
        List<LabelVector> many = new ArrayList<>();
        while (many.size() < 20_000) {
            many.addAll(labels);
        }
        List<ImageFeatures> two = images.subList(0, 2);
        float[][] all = scorer.score(two, new DirectLabelVectors(many));
        float[][] candidates = scorer.score(two, new DirectLabelVectors(many, LabelSelection.CANDIDATES));
        for (int image = 0; image < two.size(); image++) {
            assertThat(candidates[image]).containsExactly(all[image], within(AGREEMENT));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 30, 500})
    void shouldDecodeTheMostPromisingLabelsAlone(int count) throws Exception {
        open(tiny(BY_COSINE));
        float[][] top = scorer.score(images, new DirectLabelVectors(labels, LabelSelection.top(count)));
        float[][] all = scorer.score(images, new DirectLabelVectors(labels));
        for (int image = 0; image < IMAGES; image++) {
            List<LabelEvidence> evidence = runtime.explain(images.get(image), new DirectLabelVectors(labels));
            float[] expected = new float[LABELS];
            Arrays.fill(expected, ImageScores.NOT_DECODED);
            float[] full = all[image];
            IntStream.range(0, LABELS)
                    .boxed()
                    .sorted(Comparator.comparing(
                                    (Integer label) -> -evidence.get(label).standardisedCosine())
                            .thenComparing(Comparator.naturalOrder()))
                    .limit(count)
                    .forEach(label -> expected[label] = full[label]);
            assertThat(top[image]).containsExactly(expected, within(AGREEMENT));
        }
    }

    @Test
    void shouldChooseTheSameWayWithoutADecoder() throws Exception {
        TinyBundle.copyTo(folder);
        TinyBundle.change(folder, "(?s)\"decoder\": \\{.*?\\},", "");
        TinyBundle.change(folder, "\"tolerance\": 0.002", "\"tolerance\": 1");
        open(Bundle.load(folder));
        float[][] all = scorer.score(images, new DirectLabelVectors(labels));
        DirectLabelVectors selecting = new DirectLabelVectors(labels, LabelSelection.CANDIDATES);
        float[][] candidates = scorer.score(images, selecting);
        for (int image = 0; image < IMAGES; image++) {
            List<LabelEvidence> evidence = runtime.explain(images.get(image), selecting);
            for (int label = 0; label < LABELS; label++) {
                boolean candidate = evidence.get(label).standardisedCosine()
                        >= runtime.description().candidateCutoff();
                assertThat(evidence.get(label).candidate()).isEqualTo(candidate);
                assertThat(candidates[image][label])
                        .isCloseTo(candidate ? all[image][label] : ImageScores.NOT_DECODED, within(AGREEMENT));
            }
        }
    }

    private Bundle tiny(String rule) throws Exception {
        TinyBundle.copyTo(folder);
        TinyBundle.change(folder, "\"candidateCutoff\": 1.0", rule);
        return Bundle.load(folder);
    }

    private void open(Bundle bundle) throws Exception {
        runtime = OnnxModelRuntime.builder(bundle).batchSize(IMAGES).build();
        scorer = runtime.scorer();
        List<LabelVector> pairs = TinyBundle.vectors(TinyBundle.labels(runtime, WORDS * WORDS));
        // "red dog" without "dog red": rounding would decide which of two nearly equal labels is better
        labels = IntStream.range(0, pairs.size())
                .filter(i -> i / WORDS <= i % WORDS)
                .mapToObj(pairs::get)
                .toList();
        for (int i = 0; i < IMAGES; i++) {
            TinyBundle.fillWithNoise(scorer.pixels(i), i);
        }
        images = scorer.encode(IMAGES);
    }
}
