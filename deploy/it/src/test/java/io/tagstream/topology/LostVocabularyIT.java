/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.cli.CommandProcess;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.labels.VersionBefore;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens to images and labels when vocabulary topics are lost, on a real cluster. */
@InRun
class LostVocabularyIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static TestCluster cluster;

    private final FakeModelRuntime model = FakeModelRuntime.completing(8, 1);

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

    @AfterEach
    void closeModel() {
        model.close();
    }

    private Stage stage() {
        return new Stage(cluster, directory.resolve("state"), TagstreamConfig.TOPICS_CHECK_MILLIS, 200);
    }

    @ParameterizedTest(name = "while it runs: {0}")
    @ValueSource(booleans = {false, true})
    void shouldWriteAllLabelsAgainWhereLabelEmbeddingsIsLost(boolean running) throws Exception {
        try (Stage stage = stage()) {
            Tagstream instance = startWithDogAndCar(stage);
            instance = lose(stage, TagstreamConfig.EMBEDDINGS_TOPIC, instance, running);

            await().atMost(PATIENCE).until(instance::vocabularySize, size -> size == 2);
            stage.image("image-2", "fake:dog");
            assertThat(awaitTags(stage, "image-2", 1)).containsExactly("dog");
            assertThat(labels(stage, "add", "cat").lines())
                    .containsExactly("1 change in force: 3 labels, vocabulary epoch 2.");
            stage.image("image-3", "fake:dog+cat");
            assertThat(awaitTags(stage, "image-3", 1)).containsExactly("cat", "dog");

            assertThat(latestTags(stage)).as("no image has lost a tag").containsEntry("image-1", List.of("car", "dog"));
            assertThat(model.encodedLabels()).as("each text once").isEqualTo(3);
            assertThatEpochsNeverGoBack(stage);
        }
    }

    @ParameterizedTest(name = "while it runs: {0}")
    @ValueSource(booleans = {false, true})
    void shouldGoOnWithALabelVocabularyThatIsCreatedAnew(boolean running) throws Exception {
        try (Stage stage = stage()) {
            Tagstream instance = startWithDogAndCar(stage);
            instance = lose(stage, TagstreamConfig.LABELS_TOPIC, instance, running);

            stage.image("image-2", "fake:dog");
            assertThat(awaitTags(stage, "image-2", 1))
                    .as("the vocabulary stays in force while the topic is empty")
                    .containsExactly("dog");
            assertThat(labels(stage, "add", "dog").lines())
                    .containsExactly("1 change in force: 1 labels, vocabulary epoch 2.");
            assertThat(labels(stage, "add", "cat").lines())
                    .containsExactly("1 change in force: 2 labels, vocabulary epoch 3.");
            stage.image("image-3", "fake:dog+car+cat");
            assertThat(awaitTags(stage, "image-3", 1)).containsExactly("cat", "dog");

            await("the vocabulary equals the topic")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(latestTags(stage)).containsEntry("image-1", List.of("dog")));
            assertThat(model.encodedLabels()).as("dog is not encoded again").isEqualTo(3);
            assertThatEpochsNeverGoBack(stage);

            instance.close();
            stage.label("owl");
            stage.flush();
            instance = stage.start(model);
            assertThat(instance.vocabularyEpoch()).isEqualTo(4);
            assertThat(instance.vocabularySize()).isEqualTo(3);
        }
    }

    @Test
    void shouldNeverSayThatAChangeIsInForceWhichIsNot() throws Exception {
        try (Stage stage = new Stage(cluster, directory.resolve("state"), TagstreamConfig.TOPICS_CHECK_MILLIS, 3_000)) {
            Tagstream instance = startWithDogAndCar(stage);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
                createAnew(stage, TagstreamConfig.LABELS_TOPIC, admin);
            }

            Run added = labels(stage, "add", "owl");
            if (added.exitCode() == 0) {
                assertThat(added.lines()).containsExactly("1 change in force: 1 labels, vocabulary epoch 2.");
            } else {
                assertThat(added.errors()).contains("1 change written, but not in force within");
            }
            await().atMost(PATIENCE).until(instance::vocabularySize, size -> size == 1);
            assertThat(instance.failure()).isNotDone();
            assertThat(labels(stage, "add", "fox").lines())
                    .containsExactly("1 change in force: 2 labels, vocabulary epoch 3.");
            stage.image("image-2", "fake:owl+fox+dog");
            assertThat(awaitTags(stage, "image-2", 1)).containsExactly("fox", "owl");
            assertThatEpochsNeverGoBack(stage);
        }
    }

    @Test
    void shouldNotSayThatAChangeIsInForceWhileLabelEmbeddingsLacksLabels() throws Exception {
        try (Stage stage = new Stage(cluster, directory.resolve("state"), TagstreamConfig.TOPICS_CHECK_MILLIS, 3_000);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            startWithDogAndCar(stage);
            createAnew(stage, TagstreamConfig.EMBEDDINGS_TOPIC, admin);

            assertThat(labels(stage, "add", "owl").lines())
                    .containsExactly("1 change in force: 3 labels, vocabulary epoch 2.");
            assertThat(latestEmbeddings(stage)).containsOnlyKeys("", "car", "dog", "owl");
        }
    }

    @Test
    void shouldWriteAgainWhileItRunsWhatCannotBeRead() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime other = FakeModelRuntime.completing(8, 1)) {
            startWithDogAndCar(stage);
            String marker =
                    EmbeddingKey.marker(model.description().textFingerprint()).toString();
            stage.send(TagstreamConfig.EMBEDDINGS_TOPIC, marker + "dog", new byte[] {9, 9});
            stage.send(TagstreamConfig.EMBEDDINGS_TOPIC, marker, null);
            stage.flush();

            await("the records that compaction leaves")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(latestEmbeddings(stage)).containsOnlyKeys("", "car", "dog"));
            Tagstream second = stage.start(other);
            assertThat(second.vocabularySize()).isEqualTo(2);
            assertThat(second.vocabularyEpoch()).isEqualTo(1);
            assertThat(other.encodedLabels() + model.encodedLabels()).isEqualTo(2);
        }
    }

    /** The newest record of each label and of the marker, by label ID, except removals and unreadable records. */
    private static Map<String, LabelEmbedding> latestEmbeddings(Stage stage) {
        Map<String, LabelEmbedding> latest = new HashMap<>();
        for (Read<Object> found :
                stage.read(Map.of(TagstreamConfig.EMBEDDINGS_TOPIC, new ByteArrayDeserializer()), all -> true)) {
            String id = EmbeddingKey.parse(found.key()).labelId();
            try {
                latest.put(id, stage.contracts().labelEmbedding().deserializer().deserialize(found.topic(), (byte[])
                        found.value()));
            } catch (SerializationException e) {
                latest.remove(id);
            }
        }
        latest.values().removeIf(Objects::isNull);
        return latest;
    }

    @Test
    void shouldReadItsLabelsAgainWhereTheEncodersOwnTopicsAreLost() throws Exception {
        try (Stage stage = stage()) {
            Tagstream instance = startWithDogAndCar(stage);
            instance.close();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
                Set<String> own = LabelEncoderTopology.internalTopics(LabelEncoderTopology.applicationId(
                        stage.config().applicationId(), model.description().textFingerprint()));
                for (String topic : own) {
                    delete(topic, admin);
                }
            }

            instance = stage.start(model);
            await().atMost(PATIENCE).until(instance::vocabularyEpoch, epoch -> epoch > 1);
            assertThat(labels(stage, "add", "cat").lines())
                    .singleElement()
                    .asString()
                    .contains("3 labels");
            stage.image("image-2", "fake:dog+cat");
            assertThat(awaitTags(stage, "image-2", 1)).containsExactly("cat", "dog");
            assertThat(latestTags(stage)).containsEntry("image-1", List.of("car", "dog"));
            assertThat(model.encodedLabels())
                    .as("label-embeddings still had them")
                    .isEqualTo(3);
            assertThatEpochsNeverGoBack(stage);
        }
    }

    @Test
    void shouldTakeOverTheVocabularyThatTheVersionBeforeWrote() throws Exception {
        try (Stage stage = stage();
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            stage.label("dog");
            stage.label("car");
            stage.flush();
            String application = LabelEncoderTopology.applicationId(
                    stage.config().applicationId(), model.description().textFingerprint());
            writeAsTheVersionBefore(stage, application, admin);

            Tagstream instance = stage.start(model);
            assertThat(instance.vocabularySize()).isEqualTo(2);
            stage.image("image-1", "fake:dog");
            assertThat(awaitTags(stage, "image-1", 1)).containsExactly("dog");
            assertThat(labels(stage, "add", "cat").lines())
                    .containsExactly("1 change in force: 3 labels, vocabulary epoch 2.");
            stage.image("image-2", "fake:dog+cat");
            assertThat(awaitTags(stage, "image-2", 1)).containsExactly("cat", "dog");
            assertThat(model.encodedLabels()).as("only cat").isEqualTo(1);
            assertThatEpochsNeverGoBack(stage);
        }
    }

    /** Writes what the previous version's label encoder leaves for two labels: topics, changelogs and offsets. */
    private void writeAsTheVersionBefore(Stage stage, String application, Admin admin) throws Exception {
        String fingerprint = model.description().textFingerprint();
        admin.createTopics(LabelEncoderTopology.internalTopics(application).stream()
                        .map(topic -> new NewTopic(topic, 1, (short) 1).configs(Map.of("cleanup.policy", "compact")))
                        .toList())
                .all()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", cluster.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer())) {
            long offset = 0;
            for (String name : List.of("dog", "car")) {
                LabelEmbedding label = new LabelEmbedding(
                        fingerprint,
                        offset,
                        new EncodedLabel(
                                name,
                                Label.newBuilder().setName(name).build(),
                                FakeModelRuntime.vectorBytes(name),
                                offset,
                                0f,
                                1f));
                var unused = producer.send(new ProducerRecord<>(
                        application + "-" + LabelEncoderTopology.ENCODED_LABELS_STORE + "-changelog",
                        name,
                        VersionBefore.storedLabel(label)));
                stage.send(
                        TagstreamConfig.EMBEDDINGS_TOPIC,
                        new EmbeddingKey(fingerprint, name).toString(),
                        VersionBefore.embedding(label, stage.registry()));
                offset++;
            }
            var unused = producer.send(new ProducerRecord<>(
                    application + "-" + LabelEncoderTopology.ENCODER_PROGRESS_STORE + "-changelog",
                    "progress",
                    VersionBefore.storedProgress(1, 1, 2)));
        }
        stage.send(
                TagstreamConfig.EMBEDDINGS_TOPIC,
                EmbeddingKey.marker(fingerprint).toString(),
                VersionBefore.embedding(
                        new LabelEmbedding(fingerprint, 1L, new VocabularyMarker(2, null, -1L, null)),
                        stage.registry()));
        stage.flush();
        admin.alterConsumerGroupOffsets(
                        application,
                        Map.of(
                                new TopicPartition(stage.topic(TagstreamConfig.LABELS_TOPIC), 0),
                                new OffsetAndMetadata(2)))
                .all()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    /** Starts an instance with two labels, epoch 1, and an image that has both. */
    private Tagstream startWithDogAndCar(Stage stage) throws Exception {
        stage.label("dog");
        stage.label("car");
        stage.flush();
        Tagstream instance = stage.start(model);
        stage.image("image-1", "fake:dog+car");
        assertThat(awaitTags(stage, "image-1", 1)).containsExactly("car", "dog");
        return instance;
    }

    /** Deletes a topic; the instance or its next start creates it again. Returns the instance that runs then. */
    private Tagstream lose(Stage stage, String topicKey, Tagstream instance, boolean running) throws Exception {
        if (!running) {
            instance.close();
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            String topic = stage.topic(topicKey);
            if (running) {
                Set<Uuid> before = ids(topic, admin);
                admin.deleteTopics(List.of(topic)).all().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                await(topic + " is another one")
                        .atMost(PATIENCE)
                        .until(() -> ids(topic, admin), now -> !now.isEmpty() && !now.equals(before));
                return instance;
            }
            delete(topic, admin);
        }
        TopicProvisioner.provision(stage.config());
        return stage.start(model);
    }

    /** The id of the topic with this name; empty if there is none. */
    private static Set<Uuid> ids(String topic, Admin admin) throws Exception {
        return admin.listTopics().listings().get().stream()
                .filter(listing -> listing.name().equals(topic))
                .map(TopicListing::topicId)
                .collect(Collectors.toSet());
    }

    private static void createAnew(Stage stage, String topicKey, Admin admin) throws Exception {
        delete(stage.topic(topicKey), admin);
        TopicProvisioner.provision(stage.config());
    }

    private static void delete(String topic, Admin admin) throws Exception {
        admin.deleteTopics(List.of(topic)).all().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        await(topic + " is gone")
                .atMost(PATIENCE)
                .until(() -> !admin.listTopics().names().get().contains(topic));
    }

    /** The labels of an image's tags, sorted, once it has this many outcomes. */
    private static List<String> awaitTags(Stage stage, String image, int outcomes) {
        stage.flush();
        stage.outcomes(
                all -> all.stream().filter(read -> read.key().equals(image)).count() >= outcomes);
        return latestTags(stage).get(image);
    }

    private static Map<String, List<String>> latestTags(Stage stage) {
        Map<String, List<String>> latest = new LinkedHashMap<>();
        for (Read<Object> outcome : stage.outcomes(all -> true)) {
            latest.put(
                    outcome.key(),
                    ((TagEvent) outcome.value())
                            .getTags().stream().map(Tag::getLabelId).sorted().toList());
        }
        return latest;
    }

    private static void assertThatEpochsNeverGoBack(Stage stage) {
        Map<String, Long> epochs = new HashMap<>();
        for (Read<Object> outcome : stage.outcomes(all -> true)) {
            long epoch = ((TagEvent) outcome.value()).getVocabularyEpoch();
            assertThat(epoch).as(outcome.key()).isGreaterThanOrEqualTo(epochs.getOrDefault(outcome.key(), -1L));
            epochs.put(outcome.key(), epoch);
        }
        assertThat(epochs).isNotEmpty();
    }

    /** Runs {@code tagstream labels} as users do. */
    private Run labels(Stage stage, String... arguments) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        stage.config().originals().forEach((key, value) -> lines.add(key + " = " + value));
        Path configuration = Files.write(directory.resolve("tagstream.properties"), lines);
        List<String> command = new ArrayList<>(List.of("labels"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--wait", "20", "--config", configuration.toString()));
        return CommandProcess.run(command.toArray(String[]::new));
    }
}
