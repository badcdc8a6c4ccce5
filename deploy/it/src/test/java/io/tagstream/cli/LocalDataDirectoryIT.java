/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that share a data directory. The second run follows the folder until it is stopped. */
@InRun
class LocalDataDirectoryIT {
    private static final Pattern KAFKA = Pattern.compile("Kafka is on (\\S+:\\d+)");

    @TempDir
    Path directory;

    private Path folder;

    @BeforeEach
    void fillFolder() throws IOException {
        folder = Files.createDirectory(directory.resolve("photos"));
        put("cat.jpg", "kept.jpg");
        put("dogs.jpg", "changed.jpg");
        put("bridge.jpg", "removed.jpg");
    }

    /** Adds a file atomically, because a file that grows while it is being watched may be tagged more than once. */
    private void put(String sample, String name) throws IOException {
        Path copy = Files.copy(CommandProcess.SAMPLES.resolve(sample), directory.resolve("copy"));
        Files.move(copy, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    @Test
    void shouldGoOnFromTheLastRunAndFollowTheFolder() throws Exception {
        Path data = directory.resolve("data");
        Path vocabulary = Files.writeString(
                directory.resolve("labels.csv"),
                "id,name\ncat,cat\ndog,dog\nstatue,statue\ncoffee,coffee\ntree,tree\n");

        Run first = CommandProcess.run(
                "local",
                folder.toString(),
                "--once",
                "--json",
                "--data-dir",
                data.toString(),
                "--vocabulary",
                vocabulary.toString());

        assertThat(first.exitCode()).as(first.errors()).isZero();
        assertThat(first.byImageId().keySet()).containsExactlyInAnyOrder("kept.jpg", "changed.jpg", "removed.jpg");
        assertThat(tags(first, "kept.jpg")).contains("cat");
        assertThat(tags(first, "changed.jpg")).contains("dog");

        put("statue.jpg", "changed.jpg");
        Files.delete(folder.resolve("removed.jpg"));
        put("coffee.jpg", "added.jpg");
        try (CommandProcess second = CommandProcess.start("local", folder.toString(), "--data-dir", data.toString())) {
            second.awaitNote("Watching " + folder);
            second.awaitLine("kept.jpg  cat ");
            second.awaitLine("changed.jpg  statue ");
            second.awaitLine("added.jpg  coffee ");
            second.awaitLine("removed.jpg  deleted");

            assertThat(submissions(second.errors()))
                    .as("unchanged images are not tagged again")
                    .containsExactlyInAnyOrder(
                            "kept.jpg",
                            "changed.jpg",
                            "removed.jpg",
                            "changed.jpg",
                            "added.jpg",
                            "removed.jpg deleted");

            put("stream.jpg", "later.jpg");
            second.awaitLine("later.jpg  tree ");
            Files.delete(folder.resolve("kept.jpg"));
            second.awaitLine("kept.jpg  deleted");

            second.terminate();
            Run end = second.awaitEnd();
            assertThat(end.exitCode()).as(end.errors()).isEqualTo(LocalStopIT.ENDED_BY_SIGTERM);
            assertThat(end.lines()).hasSize(6);
            assertThat(end.errors()).doesNotContain("\tat ");
        }
    }

    @Test
    void shouldReadItsImagesAgainWithAnotherBundleAndGoBackTheSameWay() throws Exception {
        Path data = directory.resolve("data");
        Path other = OtherBundle.in(directory.resolve("bundle"));
        Run first = once(data);
        assertThat(first.errors()).doesNotContain("read again");
        assertThat(models(first)).containsOnly("everyday").hasSize(3);

        Run switched = once(data, "--set", "model.bundle=" + other);
        assertThat(switched.errors()).contains("3 images were tagged by everyday ", "--vocabulary FILE.csv");
        assertThat(models(switched)).containsOnly(OtherBundle.ID).hasSize(3);

        Run back = once(data);
        assertThat(back.errors()).contains("3 images were tagged by " + OtherBundle.ID);
        assertThat(models(back)).containsOnly("everyday").hasSize(3);
        assertThat(tags(back, "kept.jpg")).isEqualTo(tags(first, "kept.jpg"));
    }

    private Run once(Path data, String... more) throws Exception {
        List<String> arguments =
                new ArrayList<>(List.of("local", folder.toString(), "--once", "--json", "--data-dir", data.toString()));
        arguments.addAll(List.of(more));
        Run run = CommandProcess.run(arguments.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run;
    }

    /** The bundles that have tagged the images. */
    private static List<String> models(Run run) {
        return run.byImageId().values().stream()
                .map(outcome -> outcome.path("model").asText().split("@", 2)[0])
                .toList();
    }

    private static List<String> tags(Run run, String imageId) {
        List<String> labels = new ArrayList<>();
        for (JsonNode tag : run.byImageId().get(imageId).path("tags")) {
            labels.add(tag.path("labelId").asText());
        }
        return labels;
    }

    /** The image IDs of all references on the images topic, from all runs. */
    private static List<String> submissions(String notes) {
        Matcher address = KAFKA.matcher(notes);
        assertThat(address.find()).as(notes).isTrue();
        List<String> submissions = new ArrayList<>();
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", address.group(1)), new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("images").stream()
                    .map(partition -> new TopicPartition("images", partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100))
                        .forEach(found -> submissions.add(found.key() + (found.value() == null ? " deleted" : "")));
            }
        }
        return submissions;
    }
}
