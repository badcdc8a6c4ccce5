/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A custom vocabulary, with all its scores shown. */
@InRun
class LocalVocabularyIT {
    private static final int LABELS = 80;
    private static final int IMAGES = 32;
    private static final double TOLERANCE = 1e-4;

    @TempDir
    Path directory;

    private Path vocabulary;

    @BeforeEach
    void writeVocabulary() throws IOException {
        List<String> rows = new ArrayList<>(List.of("id,name,threshold"));
        for (int i = 0; i < LABELS; i++) {
            rows.add("label-%d,thing number %d,0.99".formatted(i, i));
        }
        vocabulary = Files.write(directory.resolve("labels.csv"), rows);
    }

    @Test
    void shouldScoreAnImageAloneAsAmongOthers() throws Exception {
        Path cat = CommandProcess.SAMPLES.resolve("cat.jpg");
        Path folder = Files.createDirectory(directory.resolve("photos"));
        FileUtils.copyDirectory(
                CommandProcess.SAMPLES.toFile(),
                folder.toFile(),
                file -> file.getName().endsWith(".jpg"));
        for (int seed = FileUtils.listFiles(folder.toFile(), null, false).size(); seed < IMAGES; seed++) {
            noise(folder.resolve("noise-%d.png".formatted(seed)), seed);
        }

        Map<String, Map<String, Double>> alone = scores(cat);
        Map<String, Map<String, Double>> among = scores(folder);

        assertThat(alone).containsOnlyKeys("cat.jpg");
        assertThat(among)
                .hasSize(IMAGES)
                .allSatisfy((image, scores) -> assertThat(scores).hasSize(LABELS));
        Map<String, Double> expected = alone.get("cat.jpg");
        assertThat(expected).hasSize(LABELS);
        among.get("cat.jpg")
                .forEach((label, score) ->
                        assertThat(score).as(label).isCloseTo(expected.get(label), within(TOLERANCE)));
        assertThat(among.get("dogs.jpg")).isNotEqualTo(expected);
    }

    /** Scores by image ID, then by label ID. */
    private Map<String, Map<String, Double>> scores(Path images) throws Exception {
        Run run = CommandProcess.run(
                "local",
                images.toString(),
                "--once",
                "--json",
                "--vocabulary",
                vocabulary.toString(),
                "--min-score",
                "0",
                "--top-k",
                Integer.toString(LABELS),
                "--set",
                "model.batch.size=" + IMAGES,
                "--set",
                "model.batch.wait.ms=1000");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        Map<String, Map<String, Double>> scores = new HashMap<>();
        run.byImageId().forEach((id, outcome) -> {
            Map<String, Double> ofImage = new HashMap<>();
            for (JsonNode tag : outcome.path("tags")) {
                ofImage.put(tag.path("labelId").asText(), tag.path("score").asDouble());
            }
            scores.put(id, ofImage);
        });
        return scores;
    }

    private static void noise(Path file, int seed) throws IOException {
        Random random = new Random(seed);
        BufferedImage image = new BufferedImage(100 + seed, 200 - seed, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                image.setRGB(x, y, random.nextInt());
            }
        }
        assertThat(ImageIO.write(image, "png", file.toFile())).isTrue();
    }
}
