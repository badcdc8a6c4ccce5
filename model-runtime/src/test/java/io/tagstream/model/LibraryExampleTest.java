/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.onnx.DirectLabelVectors;
import io.tagstream.model.onnx.OnnxModelRuntime;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the example of the package documentation as it is printed there. */
class LibraryExampleTest {
    private static final Path SOURCES = Path.of("src");

    @TempDir
    Path folder;

    @Test
    void shouldTagAPhotoWithTheBundleThatComesWithTagstream() throws Exception {
        Path photo = folder.resolve("sky over a meadow.png");
        BufferedImage image = new BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(new Color(110, 170, 240));
        graphics.fillRect(0, 0, 640, 280);
        graphics.setColor(new Color(60, 150, 50));
        graphics.fillRect(0, 280, 640, 200);
        graphics.dispose();
        ImageIO.write(image, "png", photo.toFile());

        List<String> all = List.of("grass", "sky", "dog", "keyboard");
        assertThat(tags(folder, photo, all)).isSubsetOf(all).doesNotContain("dog", "keyboard");
    }

    @Test
    void shouldBeTheExampleOfThePackageDocumentation() throws Exception {
        String documented = between(
                Files.readString(SOURCES.resolve("main/java/io/tagstream/model/package-info.java"))
                        .replace(" * ", ""),
                "{@code",
                "}</pre>");
        String tested = between(
                Files.readString(SOURCES.resolve("test/java/io/tagstream/model/LibraryExampleTest.java")),
                "// example begins\n",
                "// example ends\n");
        assertThat(documented).isEqualToIgnoringWhitespace(tested);
    }

    private static List<String> tags(Path folder, Path photo, List<String> names) throws Exception {
        List<String> tags = new ArrayList<>();
        // example begins
        Bundle bundle = Bundle.load("classpath:io/tagstream/bundles/everyday");
        FetchOptions fetch = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (ModelRuntime runtime =
                OnnxModelRuntime.builder(bundle).fetch(fetch).build()) {
            List<LabelVector> vectors = new ArrayList<>();
            for (String name : names) {
                vectors.add(runtime.encodeLabel(new LabelText(name, List.of())));
            }
            LabelVectors labels = new DirectLabelVectors(vectors);
            ImageRequest request = new ImageRequest(photo.toUri().toString(), Optional.empty());
            // empty when there is no room: wait for an image in flight to complete, then try again
            CompletableFuture<ImageScores<LabelVectors>> future =
                    runtime.trySubmit(request, () -> labels).orElseThrow();
            float[] scores = future.get().scores();
            for (int label = 0; label < scores.length; label++) {
                if (scores[label] >= runtime.description().defaultThreshold()) {
                    tags.add(names.get(label));
                }
            }
        }
        // example ends
        return tags;
    }

    private static String between(String text, String begin, String end) {
        int from = text.indexOf(begin) + begin.length();
        return text.substring(from, text.indexOf(end, from));
    }
}
