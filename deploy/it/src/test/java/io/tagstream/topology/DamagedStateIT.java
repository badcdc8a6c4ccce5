/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.it.Damage;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.state.UnusableStateException;
import io.tagstream.topology.tagging.TaggingMetric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A state directory whose files are damaged, while nothing runs and while an instance runs, or are another's. */
@InFull
class DamagedStateIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int IMAGES = 30;
    private static final byte NONSENSE = 7;
    private static final Pattern ASIDE = Pattern.compile("\\d_\\d\\.damaged-\\d{8}-\\d{6}");

    private static TestCluster cluster;

    @TempDir
    Path state;

    private Path directory;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = TestCluster.start();
    }

    @AfterAll
    static void stopCluster() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    void shouldPutDamagedStateAsideAndRestoreIt(Damage damage) throws Exception {
        directory = state.resolve("damaged");
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            tagSomeImages(stage, model);
            assertThat(damage.doTo(directory)).isPositive();

            Tagstream instance = stage.start(model, TagstreamConfig.STATE_DIR, directory.toString());
            assertThatAllImagesFollow(stage);

            boolean stores = damage != Damage.NONSENSE_PROCESS_FILE;
            assertThat(find(directory, ASIDE).isEmpty()).isNotEqualTo(stores);
            assertThat(damaged(stage, instance) > 0).isEqualTo(stores);
        }
    }

    @Test
    void shouldRestoreWhatTurnsOutToBeDamagedWhenItIsRead() throws Exception {
        directory = state.resolve("damaged");
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            tagSomeImages(stage, model);
            for (Path store : find(directory, Pattern.compile("image-meta"))) {
                Path images = find(store, Pattern.compile(".*\\.sst")).stream()
                        .max(Comparator.comparingLong(file -> file.toFile().length()))
                        .orElseThrow();
                byte[] content = Files.readAllBytes(images);
                Arrays.fill(content, 0, content.length / 4, NONSENSE); // its end is what is read when it is opened
                Files.write(images, content);
            }

            Tagstream instance = stage.start(model, TagstreamConfig.STATE_DIR, directory.toString());
            assertThatAllImagesFollow(stage);
            assertThat(find(directory, ASIDE)).isEmpty();
            assertThat(damaged(stage, instance)).isPositive();
            assertThat(instance.failure()).isNotDone();
        }
    }

    @Test
    void shouldRefuseADirectoryThatAnotherInstanceHas() throws Exception {
        directory = state.resolve("shared");
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            tagSomeImages(stage, model);
            stage.start(model, TagstreamConfig.STATE_DIR, directory.toString());
            assertThatThrownBy(() -> stage.start(model, TagstreamConfig.STATE_DIR, directory.toString()))
                    .isInstanceOf(UnusableStateException.class)
                    .hasMessageContainingAll(
                            "state directory " + directory, "is in use by another instance", "state.dir");
            assertThatAllImagesFollow(stage);
        }
    }

    @Test
    void shouldRefuseADirectoryThatCannotBe() throws Exception {
        directory = Files.createFile(state.resolve("file"));
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            assertThatThrownBy(() -> stage.start(
                            model,
                            TagstreamConfig.STATE_DIR,
                            directory.resolve("state").toString()))
                    .isInstanceOf(UnusableStateException.class)
                    .hasMessageContainingAll(directory + "/state cannot be used", "state.dir");
        }
    }

    private void tagSomeImages(Stage stage, FakeModelRuntime model) throws Exception {
        stage.label("dog");
        stage.flush();
        try (Tagstream instance = stage.start(model, TagstreamConfig.STATE_DIR, directory.toString())) {
            assertThat(instance.ready()).isTrue();
            submit(stage, "old-", "fake:dog+old-");
            stage.outcomes(atLeast(IMAGES));
        }
    }

    /** Known images follow a change of the vocabulary, each by itself; new ones are tagged. No outcome is lost. */
    private static void assertThatAllImagesFollow(Stage stage) {
        submit(stage, "new-", "fake:dog+new-");
        stage.outcomes(atLeast(2 * IMAGES));
        stage.label("old-3");
        stage.label("new-3");
        stage.flush();

        Map<String, List<String>> expected = new TreeMap<>();
        for (int image = 0; image < IMAGES; image++) {
            expected.put("old-" + image, image == 3 ? List.of("dog", "old-3") : List.of("dog"));
            expected.put("new-" + image, image == 3 ? List.of("dog", "new-3") : List.of("dog"));
        }
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(latest(stage.outcomes(atLeast(2 * IMAGES + 2))))
                        .isEqualTo(expected));
        assertThat(stage.outcomes(all -> true))
                .as("one outcome for each image and each change")
                .hasSize(2 * IMAGES + 2);
    }

    private static double damaged(Stage stage, Tagstream instance) {
        return stage.metrics(instance)
                .get(TaggingMetric.DAMAGED_STATE.id())
                .counter()
                .count();
    }

    private static void submit(Stage stage, String idPrefix, String uriPrefix) {
        for (int image = 0; image < IMAGES; image++) {
            stage.image(idPrefix + image, uriPrefix + image);
        }
        stage.flush();
    }

    private static List<Path> find(Path directory, Pattern names) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(
                            file -> names.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    /** The labels of each image's latest tags, in order. */
    private static Map<String, List<String>> latest(List<Read<Object>> outcomes) {
        Map<String, List<String>> latest = new TreeMap<>();
        for (Read<Object> outcome : outcomes) {
            TagEvent event = (TagEvent) outcome.value();
            latest.put(
                    outcome.key(),
                    event.getTags().stream().map(Tag::getLabelId).sorted().toList());
        }
        return latest;
    }

    private static Predicate<List<Read<Object>>> atLeast(int outcomes) {
        return all -> all.size() >= outcomes;
    }
}
