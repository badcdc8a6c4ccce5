/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelVector;
import io.tagstream.model.Priority;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.Quarters;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxModelRuntimeTest {
    private static final String TINY = "classpath:io/tagstream/bundles/tiny";

    @TempDir
    Path folder;

    @Test
    void shouldGiveEveryImageItsOwnScores() throws Exception {
        Random random = new Random(7);
        List<Path> images = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Path file = folder.resolve(i + ".png");
            int width = 20 + random.nextInt(200);
            int height = 20 + random.nextInt(200);
            BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            int[] colours = random.ints(16).toArray();
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    image.setRGB(x, y, colours[y * 4 / height * 4 + x * 4 / width]);
                }
            }
            ImageIO.write(image, "png", file.toFile());
            images.add(file);
        }
        FetchOptions fetch = FetchOptions.builder().fileRoots(List.of(folder)).build();
        MeterRegistry metrics = new SimpleMeterRegistry();
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load(TINY))
                        .fetch(fetch)
                        .maxInFlight(1000)
                        .metrics(metrics)
                        .build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors labels = new DirectLabelVectors(List.of(
                    runtime.encodeLabel(new LabelText("dog", List.of())),
                    runtime.encodeLabel(new LabelText("red apple", List.of())),
                    runtime.encodeLabel(new LabelText("sea", List.of("the blue {}")))));
            List<CompletableFuture<ImageScores<DirectLabelVectors>>> futures = new ArrayList<>();
            for (Path image : images) {
                futures.add(runtime.trySubmit(request(image), () -> labels).orElseThrow());
            }
            for (int i = 0; i < images.size(); i++) {
                ImageScores<DirectLabelVectors> scores = futures.get(i).get(30, TimeUnit.SECONDS);
                ByteBuffer slot = scorer.pixels(0);
                runtime.loadPixels(request(images.get(i)), slot);
                float[] alone = scorer.score(1, labels)[0];
                assertThat(scores.labels()).isSameAs(labels);
                for (int label = 0; label < alone.length; label++) {
                    assertThat(scores.scores()[label]).isCloseTo(alone[label], within(1e-4f));
                }
            }
            assertThat(metrics.get("tagstream.runtime.batch.size").summary().mean())
                    .isGreaterThan(2);
        }
    }

    @Test
    void shouldScoreTheSameWhereverImagesAreDecoded() throws Exception {
        Path file = folder.resolve("quarters.png");
        Files.write(file, Quarters.png(90, 60));
        assertThat(scores(file, DecodeIsolation.PROCESS)).isEqualTo(scores(file, DecodeIsolation.NONE));
    }

    @Test
    void shouldScoreKeptFeaturesAsFreshImages() throws Exception {
        FetchOptions fetch = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (OnnxModelRuntime runtime =
                OnnxModelRuntime.builder(Bundle.load(TINY)).fetch(fetch).build()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            List<ImageScores<DirectLabelVectors>> fresh = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Path file = Files.write(folder.resolve(i + ".png"), Quarters.png(40 + i, 90 - i));
                fresh.add(runtime.trySubmit(request(file), () -> labels)
                        .orElseThrow()
                        .get(60, TimeUnit.SECONDS));
                assertThat(fresh.get(i).features().bytes())
                        .hasSize(runtime.description().featureBytes());
            }
            List<ImageFeatures> kept = fresh.stream().map(ImageScores::features).toList();
            for (Priority priority : Priority.values()) {
                float[][] again =
                        runtime.tryScore(kept, labels, priority).orElseThrow().get(60, TimeUnit.SECONDS);
                for (int i = 0; i < kept.size(); i++) {
                    assertThat(again[i]).containsExactly(fresh.get(i).scores(), within(1e-5f));
                }
            }
        }
    }

    @Test
    void shouldSayWhatSpeaksForEachLabel() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(Bundle.load(TINY)).build();
                ImageScorer scorer = runtime.scorer()) {
            List<LabelVector> vectors = TinyBundle.vectors(TinyBundle.labels(runtime, 60));
            TinyBundle.fillWithNoise(scorer.pixels(0), 1);
            ImageFeatures image = scorer.encode(1).get(0);
            DirectLabelVectors labels = new DirectLabelVectors(vectors, LabelSelection.CANDIDATES);
            List<LabelEvidence> evidence = runtime.explain(image, labels);
            float[] all = scorer.score(List.of(image), new DirectLabelVectors(vectors))[0];
            float[] candidates = scorer.score(List.of(image), labels)[0];
            assertThat(evidence).hasSize(60);
            for (int i = 0; i < all.length; i++) {
                assertThat(evidence.get(i).score())
                        .as("not for candidates alone")
                        .isCloseTo(all[i], within(1e-5f));
                assertThat(evidence.get(i).candidate()).isEqualTo(candidates[i] != ImageScores.NOT_DECODED);
                assertThat(evidence.get(i).candidate())
                        .isEqualTo(evidence.get(i).standardisedCosine() >= 1);
            }
        }
    }

    @Test
    void shouldRefuseFeaturesOfAnotherModel() throws Exception {
        OnnxModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load(TINY)).build();
        try (runtime) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 3);
            ImageFeatures foreign = new ImageFeatures(new byte[26_368]);
            assertThatThrownBy(() -> runtime.explain(foreign, labels))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.MODEL_ERROR))
                    .hasMessageContaining("features of 26368 bytes are not this model's");
            CompletableFuture<float[][]> scores =
                    runtime.tryScore(List.of(foreign), labels, Priority.FRESH).orElseThrow();
            assertThatThrownBy(() -> scores.get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("features of 26368 bytes are not this model's");
        }
        DirectLabelVectors none = new DirectLabelVectors(List.of());
        assertThatThrownBy(() -> runtime.explain(new ImageFeatures(new byte[0]), none))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("closed");
    }

    private float[] scores(Path image, DecodeIsolation isolation) throws Exception {
        FetchOptions fetch = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load(TINY))
                .fetch(fetch)
                .decodeThreads(2)
                .decodeIsolation(isolation)
                .build()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            return runtime.trySubmit(request(image), () -> labels)
                    .orElseThrow()
                    .get(60, TimeUnit.SECONDS)
                    .scores();
        }
    }

    private static ImageRequest request(Path image) {
        return new ImageRequest(image.toUri().toString(), Optional.empty());
    }
}
