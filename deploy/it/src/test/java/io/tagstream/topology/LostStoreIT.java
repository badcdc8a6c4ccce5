/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingTopology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What happens to known images when the changelog of one of a task's stores is deleted between two runs. */
@InRun
class LostStoreIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int IMAGES = 30;

    private static TestCluster cluster;

    @TempDir
    Path state;

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

    /**
     * @param keepsDirectory whether the second run finds the first run's state directory, from which Kafka Streams may
     *     or may not continue
     */
    @ParameterizedTest
    @CsvSource({
        TaggingTopology.SWEEP_STORE + ", false",
        TaggingTopology.IMAGE_FEATURES_STORE + ", false",
        TaggingTopology.IMAGE_FEATURES_STORE + ", true",
        TaggingTopology.IMAGE_META_STORE + ", false",
        TaggingTopology.IMAGE_META_STORE + ", true"
    })
    void shouldTagEveryImageByItselfWhicheverStoreIsLost(String store, boolean keepsDirectory) throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            stage.label("dog");
            stage.flush();
            try (Tagstream instance = stage.start(model, TagstreamConfig.STATE_DIR, directory(1))) {
                assertThat(instance.ready()).isTrue();
                submit(stage, "old-", "fake:dog+old-");
                stage.outcomes(atLeast(IMAGES));
            }
            deleteChangelog(stage, store);

            stage.start(model, TagstreamConfig.STATE_DIR, directory(keepsDirectory ? 1 : 2));
            submit(stage, "new-", "fake:heron+new-");
            stage.outcomes(atLeast(2 * IMAGES));
            if (store.equals(TaggingTopology.IMAGE_META_STORE)) { // until then, they keep their tags and follow nothing
                submit(stage, "old-", "fake:dog+old-");
                stage.outcomes(atLeast(3 * IMAGES));
            }
            for (String label : List.of("heron", "old-3", "new-3")) {
                stage.label(label);
            }
            stage.flush();

            Map<String, List<String>> expected = new TreeMap<>();
            for (int image = 0; image < IMAGES; image++) {
                expected.put("old-" + image, image == 3 ? List.of("dog", "old-3") : List.of("dog"));
                expected.put("new-" + image, image == 3 ? List.of("heron", "new-3") : List.of("heron"));
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(latest(stage.outcomes(atLeast(2 * IMAGES))))
                            .isEqualTo(expected));
        }
    }

    private String directory(int run) {
        return state.resolve("run-" + run).toString();
    }

    private static void submit(Stage stage, String idPrefix, String uriPrefix) {
        for (int image = 0; image < IMAGES; image++) {
            stage.image(idPrefix + image, uriPrefix + image);
        }
        stage.flush();
    }

    private static void deleteChangelog(Stage stage, String store) throws Exception {
        String changelog = stage.config().applicationId() + "-" + store + "-changelog";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            admin.deleteTopics(List.of(changelog)).all().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            await().atMost(PATIENCE)
                    .until(() -> !admin.listTopics()
                            .names()
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                            .contains(changelog));
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
