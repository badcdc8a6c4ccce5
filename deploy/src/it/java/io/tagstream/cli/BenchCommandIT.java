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
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tagstream bench}: that it measures, not what it measures. */
class BenchCommandIT {
    @TempDir
    Path directory;

    @Test
    void shouldMeasureThePipelineBesideTheBareLoop() throws Exception {
        Files.copy(CommandProcess.SAMPLES.resolve("cat.jpg"), directory.resolve("cat.jpg"));
        Files.copy(CommandProcess.SAMPLES.resolve("coffee.jpg"), directory.resolve("coffee.jpg"));
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
        assertThat(result.path("rssMiB").asLong()).isPositive();
        assertThat(result.path("checkedImages").asLong()).isPositive();
    }

    @Test
    void shouldRefuseWrongUsage() throws Exception {
        assertRefused(CommandProcess.run("bench"), "a benchmark is missing", "pipeline");
        assertRefused(CommandProcess.run("bench", "pipeline", "--labels", "0"), "--labels 0", "1 to 100000");
        assertRefused(CommandProcess.run("bench", "pipeline", "--seconds", "0"), "--seconds 0", "at least 1");
        assertRefused(
                CommandProcess.run("bench", "pipeline", "--images", directory.toString()),
                "no images in " + directory,
                "give a folder that has some");
    }

    private static void assertRefused(Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.errors()).startsWith("tagstream: ").contains(message);
        assertThat(run.lines()).isEmpty();
    }
}
