/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelText;
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
