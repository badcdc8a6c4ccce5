/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.Cause;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Tagstream promises about its topics, on a real cluster with {@code exactly_once_v2}. */
@InRun
class TagstreamIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Enough for every partition to have some. */
    private static final int IMAGES = 12;

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

    @Test
    void shouldGiveEveryImageOneOutcomeAndTakeInALabelWhileRunning() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 20)) {
            stage.label("dog");
            stage.flush();
            stage.start(model, TagstreamConfig.STREAM_THREADS, 2);
            for (int i = 0; i < 400; i++) {
                stage.image("before-" + i, i % 10 == 0 ? "fail:CORRUPT_IMAGE" : "fake:dog+heron");
            }
            stage.outcomes(atLeast(400));
            stage.label("heron");
            stage.flush();
            Set<String> late = new HashSet<>();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                String id = "after-" + late.size();
                late.add(id);
                stage.image(id, "fake:dog+heron");
                return stage.outcomes(atLeast(400 + late.size())).stream()
                        .anyMatch(read -> read.value() instanceof TagEvent event && hasTag(event, "heron"));
            });

            await().atMost(PATIENCE)
                    .until(() -> stage.outcomes(atLeast(400 + late.size())).stream()
                            .filter(read -> read.value() instanceof TagEvent event && hasTag(event, "heron"))
                            .map(Read::key)
                            .collect(Collectors.toSet())
                            .containsAll(taggedBefore()));

            List<Read<Object>> outcomes = stage.outcomes(atLeast(400 + late.size())).stream()
                    .filter(read ->
                            !(read.value() instanceof TagEvent event && event.getCause() == Cause.VOCABULARY_CHANGED))
                    .toList();
            assertThat(outcomes).extracting(Read::key).doesNotHaveDuplicates().hasSize(400 + late.size());
            assertThat(outcomes.stream().filter(read -> read.value() instanceof ImageFailure))
                    .hasSize(40);
            long epochBefore = epochs(outcomes, "before-").iterator().next();
            assertThat(epochs(outcomes, "before-")).containsExactly(epochBefore);
            assertThat(stage.outcomes(atLeast(400 + late.size())))
                    .filteredOn(read -> read.value() instanceof TagEvent event && hasTag(event, "heron"))
                    .extracting(Read::key)
                    .as("images tagged before follow, once each")
                    .doesNotHaveDuplicates()
                    .containsAll(taggedBefore());
            awaitNothingPending(stage);
        }
    }

    private static Set<String> taggedBefore() {
        return IntStream.range(0, 400)
                .filter(image -> image % 10 != 0)
                .mapToObj(image -> "before-" + image)
                .collect(Collectors.toSet());
    }

    @Test
    void shouldLeaveItsGroupsWhenItCloses() throws Exception {
        int sessionTimeout = 2 * (int) PATIENCE.toMillis();
        try (Stage stage = new Stage(cluster, state, "kafka.main.consumer.session.timeout.ms", sessionTimeout);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            stage.label("dog");
            stage.flush();
            String tagging = stage.config().applicationId();
            String labels = LabelEncoderTopology.applicationId(
                    tagging, model.description().textFingerprint());

            Tagstream instance = stage.start(model);
            assertThat(members(admin, tagging)).isEqualTo(1);
            assertThat(members(admin, labels)).isEqualTo(1);
            instance.close();

            await().atMost(PATIENCE).until(() -> members(admin, tagging) == 0 && members(admin, labels) == 0);
        }
    }

    @Test
    void shouldStayInItsGroupsAsAStaticMemberUnlessItsThreadFails() throws Exception {
        int sessionTimeout = 2 * (int) PATIENCE.toMillis();
        try (Stage stage = new Stage(
                        cluster,
                        state,
                        "kafka.main.consumer.session.timeout.ms",
                        sessionTimeout,
                        "kafka.main.consumer.group.instance.id",
                        "tagstream-0");
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            String tagging = stage.config().applicationId();
            FailingSends clients = new FailingSends(stage.topic(TagstreamConfig.TAGS_TOPIC));
            Tagstream instance = stage.start(model, clients);
            instance.close();
            assertThat(names(admin, tagging)).as("closed cleanly").containsExactly("tagstream-0-1");

            instance = stage.start(model, clients);
            assertThat(names(admin, tagging)).as("back again").containsExactly("tagstream-0-1");
            clients.failNextAtOnce();
            stage.image("image-1", "fake:dog");
            assertThat(stage.outcomes(atLeast(1))).hasSize(1);
            assertThat(clients.failed()).isEqualTo(1);
            assertThat(names(admin, tagging)).as("its replacement").containsExactly("tagstream-0-2");

            instance.close();
            assertThat(names(admin, tagging)).as("no instance takes its name").isEmpty();
        }
    }

    private static List<String> names(Admin admin, String group) throws Exception {
        return admin
                .describeConsumerGroups(List.of(group))
                .describedGroups()
                .get(group)
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .members()
                .stream()
                .map(member -> member.groupInstanceId().orElseThrow())
                .toList();
    }

    private static int members(Admin admin, String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group))
                .describedGroups()
                .get(group)
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .members()
                .size();
    }

    @Test
    void shouldKeepTheOrderOfEachImageUnderLoad() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(32, 15)) {
            stage.label("dog");
            stage.flush();
            stage.start(model, TagstreamConfig.STREAM_THREADS, 2);
            Map<String, List<String>> expected = new HashMap<>();
            for (int i = 0; i < 600; i++) {
                String id = "image-" + i % 7;
                List<String> history = expected.computeIfAbsent(id, key -> new ArrayList<>());
                if (i % 11 == 10) {
                    stage.delete(id);
                    history.add("deleted");
                } else if (i % 13 == 12) {
                    stage.image(id, "fail:FETCH_TIMEOUT");
                    history.add("failed");
                } else {
                    stage.image(id, "fake:version-" + i);
                    history.add("fake:version-" + i);
                }
            }
            stage.flush();

            // Tags and failures are on two topics, which have no common order, so each topic is checked on its own.
            List<Read<Object>> outcomes = stage.outcomes(atLeast(600));
            assertThat(outcomes).hasSize(600);
            expected.forEach((id, history) -> {
                assertThat(outcomes.stream()
                                .filter(read ->
                                        read.key().equals(id) && read.topic().equals(TagstreamConfig.TAGS_TOPIC))
                                .map(read -> read.value() instanceof TagEvent event ? event.getUri() : "deleted"))
                        .containsExactlyElementsOf(history.stream()
                                .filter(entry -> !entry.equals("failed"))
                                .toList());
                assertThat(outcomes.stream()
                                .filter(read -> read.key().equals(id) && read.value() instanceof ImageFailure))
                        .hasSize((int) history.stream().filter("failed"::equals).count());
            });
        }
    }

    @Test
    void shouldMeetAnImageInOneTaskWhateverPartitionItsProducerChose() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(32, 5)) {
            stage.start(model);
            byte[] reference = stage.contracts()
                    .imageReference()
                    .serializer()
                    .serialize(
                            stage.topic(TagstreamConfig.IMAGES_TOPIC),
                            ImageReference.newBuilder().setUri("fake:dog").build());
            for (int partition = 0; partition < 3; partition++) {
                stage.send(TagstreamConfig.IMAGES_TOPIC, partition, "image-1", reference);
                stage.flush();
                stage.outcomes(atLeast(partition + 1));
            }

            assertThat(stage.outcomes(atLeast(3)))
                    .extracting(read -> ((TagEvent) read.value()).getCause().name())
                    .containsExactly("NEW_IMAGE", "IMAGE_CHANGED", "IMAGE_CHANGED");
        }
    }

    @Test
    void shouldTagUnderAnEmptyVocabularyAtStart() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 5)) {
            stage.start(model);
            stage.image("image-1", "fake:dog");
            TagEvent event = (TagEvent) stage.outcomes(atLeast(1)).get(0).value();

            assertThat(event.getTags()).isEmpty();
            assertThat(event.getVocabularyEpoch()).isEqualTo(-1);
        }
    }

    @Test
    void shouldEncodeALabelOncePerClusterAndReadItAfterARestart() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime first = FakeModelRuntime.completing(8, 5);
                FakeModelRuntime second = FakeModelRuntime.completing(8, 5);
                FakeModelRuntime otherText = FakeModelRuntime.completing(
                        FakeModelRuntime.describe("fake-2", 2, "another text encoder"), 8, 5)) {
            for (int i = 0; i < 50; i++) {
                stage.label("label-" + i);
            }
            stage.flush();
            try (Tagstream instance = stage.start(first)) {
                assertThat(instance.vocabularyEpoch()).isEqualTo(49);
            }
            try (Tagstream instance = stage.start(second)) {
                assertThat(instance.vocabularyEpoch()).isEqualTo(49);
            }
            stage.use(otherText);
            try (Tagstream instance = stage.start(otherText)) {
                assertThat(instance.vocabularyEpoch()).as("the switch is one").isEqualTo(50);
            }

            assertThat(first.encodedLabels()).isEqualTo(50);
            assertThat(second.encodedLabels())
                    .as("a restart reads the stored vectors")
                    .isZero();
            assertThat(otherText.encodedLabels())
                    .as("another text encoder has its own vectors")
                    .isEqualTo(50);
        }
    }

    @Test
    void shouldKeepADeadLetterOnceAcrossRestarts() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 5)) {
            byte[] garbage = "no avro".getBytes(StandardCharsets.UTF_8);
            stage.send(TagstreamConfig.IMAGES_TOPIC, 0, "image-1", garbage);
            stage.flush();
            try (Tagstream instance = stage.start(model)) {
                assertThat(deadLetters(stage)).hasSize(1);
                assertThat(instance.ready()).isTrue();
            }
            try (Tagstream instance = stage.start(model)) {
                stage.image("image-2", "fake:dog");
                assertThat(stage.outcomes(atLeast(1))).hasSize(1);
                assertThat(instance.ready()).isTrue();
            }

            assertThat(deadLetters(stage)).extracting(Read::value).containsExactly(garbage);
        }
    }

    @Test
    void shouldDoTheWorkOfACommitThatTimedOutExactlyOnce() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 20)) {
            stage.label("dog");
            stage.flush();
            TimedOutCommits commits = new TimedOutCommits();
            Tagstream instance = stage.start(model, commits);
            for (int i = 0; i < 900; i++) {
                stage.image("image-" + i, "fake:dog");
                if (i % 300 == 150) {
                    stage.flush();
                    stage.outcomes(atLeast(i / 2));
                    commits.timeOutNext();
                }
            }
            stage.flush();

            List<Read<Object>> outcomes = stage.outcomes(atLeast(900));
            assertThat(commits.timedOut()).as("commits that timed out").isEqualTo(3);
            assertThat(outcomes).extracting(Read::key).doesNotHaveDuplicates().hasSize(900);
            awaitNothingPending(stage);
            assertThat(instance.failure()).isNotDone();
        }
    }

    @Test
    void shouldWaitOnAnInstanceWhoseVocabularyIsOlderThanItsTasksHaveUsed() throws Exception {
        try (Stage stage = new Stage(
                        cluster,
                        state,
                        TopicKeys.TOPICS_PARTITIONS,
                        1,
                        TagstreamConfig.IMAGES_REPARTITION,
                        false); // one task, so that the test knows where it runs
                FakeModelRuntime model = FakeModelRuntime.completing(8, 5)) {
            stage.label("dog");
            stage.flush();
            LaggingVocabulary firstClients = new LaggingVocabulary();
            LaggingVocabulary secondClients = new LaggingVocabulary();
            Tagstream first = stage.start(model, firstClients);
            stage.image("image-1", "fake:dog");
            stage.outcomes(atLeast(1));
            Tagstream second = stage.start(model, secondClients);

            // Kafka Streams decides which of the two has the task; the epoch shows whether the lagging one has it.
            secondClients.lag(true);
            stage.label("probe");
            stage.flush();
            await().atMost(PATIENCE).until(() -> first.vocabularyEpoch() == 1);
            stage.image("image-2", "fake:dog");
            boolean onFirst = epoch(stage.outcomes(atLeast(2)).get(1)) == 1;
            Tagstream ahead = onFirst ? first : second;
            Tagstream behind = onFirst ? second : first;
            LaggingVocabulary aheadClients = onFirst ? firstClients : secondClients;
            LaggingVocabulary behindClients = onFirst ? secondClients : firstClients;

            behindClients.lag(true);
            aheadClients.lag(false);
            stage.label("heron");
            stage.flush();
            await().atMost(PATIENCE).until(() -> ahead.vocabularyEpoch() == 2);
            stage.image("image-3", "fake:dog+heron");
            assertThat(epoch(stage.outcomes(atLeast(3)).get(2)))
                    .as("the task is where the vocabulary is newer")
                    .isEqualTo(2);

            ahead.close(); // the task moves to the instance that is behind
            assertThat(behind.vocabularyEpoch()).isLessThan(2);
            stage.image("image-4", "fake:dog+heron");
            stage.flush();
            await().atMost(PATIENCE).until(() -> stage.pending() == 1);
            assertThat(stage.outcomes(all -> true)).as("it waits").hasSize(3);

            behindClients.lag(false);
            Read<Object> waited = stage.outcomes(atLeast(4)).get(3);
            assertThat(epoch(waited)).isEqualTo(2);
            assertThat(hasTag((TagEvent) waited.value(), "heron")).isTrue();
            awaitNothingPending(stage);
        }
    }

    @Test
    void shouldWaitWithAnotherBundleUntilItIsSwitchedToAndGoBackTheSameWay() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime everyday = FakeModelRuntime.completing(
                        FakeModelRuntime.describe("everyday", "1.2.0", 5, "text of everyday"), 8, 1);
                FakeModelRuntime clip = FakeModelRuntime.completing(withAThresholdOfItsOwn("clip"), 8, 1)) {
            stage.label("dog");
            stage.flush();
            try (Tagstream first = stage.start(everyday)) {
                for (int i = 0; i < IMAGES; i++) {
                    stage.image("image-" + i, "fake:dog");
                }
                assertThat(models(stage, IMAGES)).containsOnly("everyday").hasSize(IMAGES);
            }

            try (Tagstream refused = stage.startUnready(clip)) {
                await().atMost(PATIENCE)
                        .until(() -> wouldWait(
                                refused,
                                "bundle everyday 1.2.0 (generation 5) is in force",
                                "this instance has bundle clip",
                                "tagstream model use"));
            }
            stage.use(clip);
            try (Tagstream switched = stage.start(clip)) {
                await().atMost(PATIENCE).until(() -> modelsNow(stage).equals(Set.of("clip")));
                assertThat(switched.ready()).isTrue();
                try (Tagstream left = stage.startUnready(everyday)) {
                    await().atMost(PATIENCE).until(() -> wouldWait(left, "bundle clip"));
                    assertThat(modelsNow(stage)).containsExactly("clip");
                }
            }
            stage.use(everyday);
            try (Tagstream back = stage.start(everyday)) {
                await().atMost(PATIENCE).until(() -> modelsNow(stage).equals(Set.of("everyday")));
                assertThat(back.ready()).isTrue();
            }
            awaitNothingPending(stage);
        }
    }

    /** Generation 1 of a bundle whose tags all differ from the usual ones. */
    private static ModelDescription withAThresholdOfItsOwn(String id) {
        ModelDescription usual = FakeModelRuntime.describe(id, "1", 1, "text of " + id);
        return ModelDescription.builder()
                .id(id)
                .version(usual.version())
                .generation(usual.generation())
                .textFingerprint(usual.textFingerprint())
                .embeddingSize(usual.embeddingSize())
                .defaultThreshold(usual.defaultThreshold() - 0.1)
                .topK(usual.topK())
                .featureBytes(usual.featureBytes())
                .candidateCutoff(usual.candidateCutoff())
                .build();
    }

    private static boolean wouldWait(Tagstream instance, String... reason) {
        String health = instance.tagging().text();
        return Arrays.stream(reason).allMatch(health::contains);
    }

    private static List<String> models(Stage stage, int outcomes) {
        return stage.outcomes(atLeast(outcomes)).stream()
                .map(read -> ((TagEvent) read.value()).getModel().getId())
                .toList();
    }

    /** The bundles that the images' latest tags come from. */
    private static Set<String> modelsNow(Stage stage) {
        Map<String, String> latest = new HashMap<>();
        stage.outcomes(atLeast(IMAGES))
                .forEach(read -> latest.put(
                        read.key(), ((TagEvent) read.value()).getModel().getId()));
        return new HashSet<>(latest.values());
    }

    /** Waits, because the broker ends a transaction on one partition after another, not on all at once. */
    private static void awaitNothingPending(Stage stage) {
        await("nothing pending").atMost(PATIENCE).until(() -> stage.pending() == 0);
    }

    private static long epoch(Read<Object> outcome) {
        return ((TagEvent) outcome.value()).getVocabularyEpoch();
    }

    private static List<Read<Object>> deadLetters(Stage stage) {
        return stage.read(
                Map.of(TagstreamConfig.DEAD_LETTERS_TOPIC, new ByteArrayDeserializer()), all -> !all.isEmpty());
    }

    private static Predicate<List<Read<Object>>> atLeast(int outcomes) {
        return all -> all.size() >= outcomes;
    }

    private static boolean hasTag(TagEvent event, String labelId) {
        return event.getTags().stream().map(Tag::getLabelId).anyMatch(labelId::equals);
    }

    private static Set<Long> epochs(List<Read<Object>> outcomes, String prefix) {
        Set<Long> epochs = new HashSet<>();
        for (Read<Object> outcome : outcomes) {
            if (outcome.key().startsWith(prefix) && outcome.value() instanceof TagEvent event) {
                epochs.add(event.getVocabularyEpoch());
            }
        }
        return epochs;
    }
}
