/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.control.Instances;
import io.tagstream.topology.labels.LabelEncoderTopology;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundle and the tag policy are the cluster's, on a real cluster. */
@InFull
class ControlIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int IMAGES = 9;

    private static TestCluster cluster;

    @TempDir
    Path directory;

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

    private static FakeModelRuntime model(String id) {
        return FakeModelRuntime.completing(
                FakeModelRuntime.describing("1", 1, "text of " + id)
                        .id(id)
                        .defaultThreshold(id.equals("clip") ? 0.4 : 0.5) // so that every tag differs
                        .build(),
                8,
                1);
    }

    @Test
    void shouldSwitchAndGoBackWhileInstancesWithBothBundlesRun() throws Exception {
        try (Stage stage = new Stage(cluster, directory);
                FakeModelRuntime everyday = model("everyday");
                FakeModelRuntime clip = model("clip")) {
            stage.label("dog");
            stage.flush();
            Tagstream old = stage.start(everyday);
            Tagstream fresh = stage.start(clip);
            assertThat(fresh.waitsBecause())
                    .hasValueSatisfying(wait -> assertThat(wait.detail())
                            .isEqualTo("bundle everyday 1 (generation 1) is in force; this instance has bundle clip 1"
                                    + " (generation 1)"));
            submit(stage);
            awaitModels(stage, "everyday");
            assertThat(Instances.running(stage.config()))
                    .extracting(Instances.Instance::bundle)
                    .containsExactlyInAnyOrder(
                            Optional.of(Controls.release(everyday.description())),
                            Optional.of(Controls.release(clip.description())));
            assertThat(stage.metrics(fresh)
                            .get("tagstream.bundle.in.force")
                            .gauge()
                            .value())
                    .isZero();

            assertThat(stage.use(clip).getEarlier()).containsExactly(Controls.release(everyday.description()));
            awaitModels(stage, "clip");
            assertThat(old.waitsBecause()).isPresent();
            assertThat(old.ready()).isTrue();
            assertThat(fresh.waitsBecause()).isEmpty();

            stage.use(everyday);
            awaitModels(stage, "everyday");
            assertThat(old.waitsBecause()).isEmpty();
            assertThat(fresh.waitsBecause()).isPresent();
            submit(stage);
            assertThat(spells(stage))
                    .as("no image went to and fro")
                    .allSatisfy((image, models) -> assertThat(models).containsExactly("everyday", "clip", "everyday"));
        }
    }

    @Test
    void shouldLetKnownImagesFollowAPolicy() throws Exception {
        try (Stage stage = new Stage(cluster, directory, TagstreamConfig.TAGS_TOP_K, 3);
                FakeModelRuntime everyday = model("everyday")) {
            List.of("dog", "cat", "heron").forEach(stage::label);
            stage.flush();
            Tagstream instance = stage.start(everyday);
            submit(stage);
            awaitTags(stage, Set.of("dog"));
            long epoch = instance.vocabularyEpoch();

            stage.control(before -> policy(before, new TagPolicy(0.0, 3, 0.05)));
            awaitTags(stage, Set.of("dog", "cat", "heron"));
            assertThat(instance.vocabularyEpoch()).isEqualTo(epoch + 1);

            stage.control(before -> policy(before, new TagPolicy(0.0, 1, 0.05)));
            awaitTags(stage, Set.of("dog"));
            assertThat(instance.vocabularyEpoch()).isEqualTo(epoch + 2);
            assertThat(everyday.encodedImages()).as("read once").isEqualTo(IMAGES);

            instance.close();
            stage.start(everyday, TagstreamConfig.TAGS_TOP_K, 2); // what the configuration says counts no longer
            stage.image("late", "fake:dog");
            assertThat(latest(stage, IMAGES + 1).get("late").getTags()).hasSize(1);
        }
    }

    @Test
    void shouldLetOneOfTwoChangesWin() throws Exception {
        try (Stage stage = new Stage(cluster, directory);
                FakeModelRuntime everyday = model("everyday")) {
            stage.start(everyday);
            assertThatThrownBy(() -> stage.control(before -> {
                        stage.control(meanwhile -> policy(meanwhile, new TagPolicy(0.2, null, 0.05)));
                        return policy(before, new TagPolicy(0.1, null, 0.05));
                    }))
                    .isInstanceOf(ControlTopic.ChangedMeanwhileException.class)
                    .hasMessageContaining("nothing was changed, try again");

            ClusterControl now = control(stage);
            assertThat(now.getRevision()).isEqualTo(2);
            assertThat(now.getPolicy().getMinScore()).isEqualTo(0.2);
        }
    }

    @Test
    void shouldRestoreTheControlRecordWhereItsTopicIsLost() throws Exception {
        try (Stage stage = new Stage(cluster, directory, TagstreamConfig.TOPICS_CHECK_MILLIS, 200);
                FakeModelRuntime everyday = model("everyday");
                FakeModelRuntime clip = model("clip")) {
            stage.label("dog");
            stage.flush();
            Tagstream instance = stage.start(everyday);
            submit(stage);
            awaitTags(stage, Set.of("dog"));
            stage.control(before -> policy(before, new TagPolicy(0.3, null, 0.05)));
            long epoch = instance.vocabularyEpoch();
            await().atMost(PATIENCE).until(() -> instance.vocabularyEpoch() > epoch);
            instance.close();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
                admin.deleteTopics(List.of(stage.topic(TagstreamConfig.CONTROL_TOPIC)))
                        .all()
                        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
            TopicProvisioner.provision(stage.config());

            Tagstream other = stage.start(clip); // an instance with another bundle may be the first to start
            assertThat(other.waitsBecause()).isPresent();
            ClusterControl restored = control(stage);
            assertThat(restored.getBundle()).isEqualTo(Controls.release(everyday.description()));
            assertThat(restored.getPolicy().getMinScore()).isEqualTo(0.3);
            assertThat(restored.getRevision()).isGreaterThan(2);

            stage.start(everyday);
            stage.image("late", "fake:dog");
            assertThat(latest(stage, IMAGES + 1)).containsKey("late");
        }
    }

    @Test
    void shouldStillObeyCommandsWhereAllThatSaidWhatWasInForceIsLost() throws Exception {
        try (Stage stage = new Stage(cluster, directory);
                FakeModelRuntime everyday = model("everyday");
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            List.of("dog", "cat", "heron").forEach(stage::label);
            stage.flush();
            Tagstream instance = stage.start(everyday);
            for (int topK = 1; topK <= 3; topK++) {
                int most = topK;
                stage.control(before -> policy(before, new TagPolicy(0.0, most, 0.05)));
            }
            submit(stage);
            awaitTags(stage, Set.of("dog", "cat", "heron"));
            instance.close();
            admin.deleteTopics(List.of(
                            stage.topic(TagstreamConfig.CONTROL_TOPIC), stage.topic(TagstreamConfig.EMBEDDINGS_TOPIC)))
                    .all()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            String encoder = LabelEncoderTopology.applicationId(
                    stage.config().applicationId(), everyday.description().textFingerprint());
            admin.deleteConsumerGroups(List.of(encoder, stage.config().applicationId()))
                    .all()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            TopicProvisioner.provision(stage.config());

            stage.start(everyday);
            assertThat(control(stage).getRevision()).isGreaterThan(4);
            stage.control(before -> policy(before, new TagPolicy(0.0, 1, 0.05)));
            awaitTags(stage, Set.of("dog"));
        }
    }

    private static Optional<ClusterControl> policy(ClusterControl before, TagPolicy policy) {
        return Controls.next(before, before.getBundle(), policy, Instant.now());
    }

    private static ClusterControl control(Stage stage) {
        return new ControlTopic(stage.config(), stage.contracts()).read().orElseThrow();
    }

    private static void submit(Stage stage) {
        for (int image = 0; image < IMAGES; image++) {
            stage.image("image-" + image, "fake:dog");
        }
        stage.flush();
    }

    private static void awaitModels(Stage stage, String model) {
        await().atMost(PATIENCE)
                .until(() -> latest(stage, IMAGES).values().stream()
                        .allMatch(event -> event.getModel().getId().equals(model)));
    }

    private static void awaitTags(Stage stage, Set<String> labels) {
        await().atMost(PATIENCE)
                .until(() -> latest(stage, IMAGES).values().stream().allMatch(event -> labels.equals(labels(event))));
    }

    private static Set<String> labels(TagEvent event) {
        Set<String> labels = new HashSet<>();
        event.getTags().stream().map(Tag::getLabelId).forEach(labels::add);
        return labels;
    }

    /** The latest tags of each image, once there are so many images. */
    private static Map<String, TagEvent> latest(Stage stage, int images) {
        Map<String, TagEvent> latest = new HashMap<>();
        tags(stage, images).forEach(read -> latest.put(read.key(), (TagEvent) read.value()));
        return latest;
    }

    private static List<Read<Object>> tags(Stage stage, int images) {
        return stage.outcomes(all -> all.stream().map(Read::key).distinct().count() >= images);
    }

    /** The bundles that tagged each image, one after the other. */
    private static Map<String, List<String>> spells(Stage stage) {
        Map<String, List<String>> spells = new HashMap<>();
        for (Read<Object> read : tags(stage, IMAGES)) {
            List<String> models = spells.computeIfAbsent(read.key(), key -> new ArrayList<>());
            String model = ((TagEvent) read.value()).getModel().getId();
            if (models.isEmpty() || !models.get(models.size() - 1).equals(model)) {
                models.add(model);
            }
        }
        return spells;
    }
}
