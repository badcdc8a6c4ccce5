/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InFull;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that {@code tagstream bench} measures, not what it measures. */
@InFull
class BenchCommandIT {
    @TempDir
    Path directory;

    @Test
    void shouldMeasureThePipelineBesideTheBareLoop() throws Exception {
        copySamples();
        Files.writeString(directory.resolve("broken.jpg"), "no image");

        Run run = CommandProcess.run(
                "bench", "pipeline", "--images", directory.toString(), "--labels", "20", "--seconds", "2", "--json");

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).contains("encoding 20 labels", "left out broken.jpg", "2 different images");
        assertThat(run.lines()).hasSize(1);
        JsonNode result = new ObjectMapper().readTree(run.lines().get(0));
        double raw = result.path("rawImagesPerSecond").asDouble();
        double pipeline = result.path("pipelineImagesPerSecond").asDouble();
        assertThat(raw).isPositive();
        assertThat(pipeline).isPositive();
        assertThat(result.path("ratio").asDouble()).isCloseTo(pipeline / raw, within(0.01));
        assertThat(result.path("p50Millis").asDouble()).isPositive();
        assertThat(result.path("p99Millis").asDouble())
                .isGreaterThanOrEqualTo(result.path("p50Millis").asDouble());
        assertThat(result.path("batchSizeMean").asDouble()).isBetween(1.0, 8.0);
        assertThat(result.path("brokerCpuMillisPerImage").asDouble()).isPositive();
        assertThat(result.path("rssMiB").asLong()).isPositive();
        assertThat(result.path("checkedImages").asLong()).isPositive();
    }

    @Test
    void shouldMeasureHowKnownImagesFollowALabel() throws Exception {
        copySamples();

        Run run = CommandProcess.run(
                "bench",
                "retag",
                "--photos",
                directory.toString(),
                "--images",
                "100",
                "--labels",
                "110", // "cat" is among them
                "--seconds",
                "1",
                "--produced",
                "3",
                "--json");

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).contains("encoding 110 labels", "retag, round 3 of 3");
        assertThat(run.lines()).hasSize(1);
        JsonNode result = new ObjectMapper().readTree(run.lines().get(0));
        assertThat(result.path("images").asLong()).isGreaterThanOrEqualTo(100);
        assertThat(result.path("photos").asInt()).isEqualTo(2);
        double anew = result.path("anewImagesPerSecond").asDouble();
        double retag = result.path("retagImagesPerSecond").asDouble();
        assertThat(anew).isPositive();
        assertThat(result.path("ratio").asDouble()).isCloseTo(retag / anew, within(0.01));
        assertThat(result.path("checkedImages").asLong()).isGreaterThanOrEqualTo(300);
        assertThat(result.path("changedImages").asLong())
                .isPositive()
                .isLessThan(result.path("checkedImages").asLong());
        assertThat(result.path("uploadP99Millis").asDouble()).isPositive();
        assertThat(result.path("sweptUploadP99Millis").asDouble()).isPositive();
        assertThat(result.path("sweepShare").asDouble()).isBetween(0.0, 1.0);
        assertThat(result.path("labelsProduced").asInt()).isEqualTo(3);
        assertThat(result.path("labelP99Millis").asDouble())
                .isGreaterThanOrEqualTo(result.path("labelP50Millis").asDouble())
                .isPositive();
        assertThat(result.path("metaStoreBytes").asLong()).isPositive();
        assertThat(result.path("featuresStoreBytes").asLong()).isGreaterThan(20_000);
        assertThat(result.path("metaTopicBytes").asLong()).isPositive();
        assertThat(result.path("featuresTopicBytes").asLong()).isGreaterThan(20_000);
        assertThat(result.path("anewWrittenBytes").asLong())
                .isGreaterThan(result.path("retagWrittenBytes").asLong());
        assertThat(result.path("restoreSeconds").asDouble()).isPositive();
        assertThat(result.path("rssMiB").asLong()).isPositive();
    }

    @Test
    void shouldMeasureWhatLargeVocabulariesCost() throws Exception {
        copySamples();
        Path words = directory.resolve("words.txt");
        Files.writeString(words, "cat\n\ncoffee\nkitten\n");

        Run run = CommandProcess.run(
                "bench",
                "vocabulary",
                "--images",
                directory.toString(),
                "--labels",
                "20",
                "--vocabulary",
                words.toString(),
                "--seconds",
                "1",
                "--set",
                "vocabulary.candidates.from=20",
                "--json");

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors())
                .contains("20 labels: encoded", "20 labels: started from stored vectors", "round 3 of 3");
        assertThat(run.lines()).hasSize(1);
        JsonNode results = new ObjectMapper().readTree(run.lines().get(0));
        assertThat(results).hasSize(1);
        JsonNode result = results.get(0);
        assertThat(result.path("labels").asInt()).isEqualTo(20);
        assertThat(result.path("selection").asText()).isEqualTo("candidates");
        assertThat(result.path("imagesPerSecond").asDouble()).isPositive();
        assertThat(result.path("shareOfFirst").asDouble()).isEqualTo(1);
        assertThat(result.path("agreement").asDouble()).isBetween(0.5, 1.0);
        assertThat(result.path("agreementTags").asLong()).isPositive();
        assertThat(result.path("agreementPhotos").asInt()).isEqualTo(2);
        assertThat(result.path("encodingSeconds").asDouble()).isPositive();
        assertThat(result.path("startSeconds").asDouble()).isPositive();
        assertThat(result.path("startCpuSeconds").asDouble()).isPositive();
        assertThat(result.path("rssMiB").asLong()).isPositive();
    }

    @Test
    void shouldMeasureEverythingButTheModel() throws Exception {
        copySamples();

        Run run = CommandProcess.run(
                "bench",
                "ceiling",
                "--shape",
                "vit-b16",
                "--features",
                "all",
                "--source",
                "memory,files,http",
                "--images",
                directory.toString(),
                "--labels",
                "20",
                "--seconds",
                "2",
                "--json");

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.lines()).hasSize(1);
        JsonNode results = new ObjectMapper().readTree(run.lines().get(0));
        assertThat(results.findValuesAsText("source")).containsExactly("memory", "files", "http");
        for (JsonNode result : results) {
            double all = result.path("cpuMillisPerImage").asDouble();
            double host = result.path("hostCpuMillisPerImage").asDouble();
            assertThat(result.path("images").asLong()).isPositive();
            assertThat(host).isPositive().isLessThan(all);
            assertThat(result.path("busiestThreadMillisPerImage").asDouble())
                    .isPositive()
                    .isLessThan(host);
            assertThat(result.path("featureBytes").asInt()).isEqualTo(2 * (512 + 196 * 768));
            double stages = 0;
            for (JsonNode stage : result.path("stages")) {
                stages += stage.asDouble();
            }
            assertThat(stages).isCloseTo(all, within(0.1 * all));
        }
    }

    private void copySamples() throws IOException {
        Files.copy(CommandProcess.SAMPLES.resolve("cat.jpg"), directory.resolve("cat.jpg"));
        Files.copy(CommandProcess.SAMPLES.resolve("coffee.jpg"), directory.resolve("coffee.jpg"));
    }

    @Test
    void shouldRefuseWrongUsage() throws Exception {
        assertRefused(CommandProcess.run("bench"), "a benchmark is missing", "pipeline");
        assertRefused(CommandProcess.run("bench", "pipeline", "--labels", "0"), "--labels 0", "1 to 100000");
        assertRefused(CommandProcess.run("bench", "pipeline", "--seconds", "0"), "--seconds 0", "at least 1");
        assertRefused(
                CommandProcess.run("bench", "pipeline", "--images", directory.toString()),
                "no images in " + directory,
                "give a folder that contains some");
        assertRefused(CommandProcess.run("bench", "ceiling", "--shape", "round"), "--shape round", "vit-b16");
        assertRefused(CommandProcess.run("bench", "ceiling", "--features", "some"), "--features some", "bounded");
        assertRefused(CommandProcess.run("bench", "retag", "--load", "100"), "--load 100", "1 to 90");
        assertRefused(CommandProcess.run("bench", "vocabulary", "--labels", "5,0"), "--labels 0", "1 to 100000");
        assertRefused(
                CommandProcess.run("bench", "retag", "--photos", directory.toString()),
                "no images in " + directory,
                "give a folder that contains some");
    }

    private static void assertRefused(Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.errors()).startsWith("tagstream: ").contains(message);
        assertThat(run.lines()).isEmpty();
    }
}
