/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Cause;
import io.tagstream.avro.Label;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.console.search.ImageFilter;
import io.tagstream.console.search.IndexPosition;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@InRun
class TopicFollowerIT {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @TempDir
    Path directory;

    private TagstreamConfig config;
    private Contracts contracts;
    private final VocabularyView vocabulary = new VocabularyView();
    private final EventHub events = new EventHub();

    @Test
    void shouldHoldTheLatestOfEachImageGoOnAfterARestartAndBeginAnewWithAnotherTopic() throws Exception {
        try (TestCluster cluster = TestCluster.start();
                SchemaRegistry registry =
                        SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()))) {
            config = new TagstreamConfig(Map.of(
                    TagstreamConfig.BOOTSTRAP_SERVERS, cluster.bootstrapServers(),
                    TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl(),
                    TopicKeys.TOPICS_PARTITIONS, 3));
            contracts = new Contracts(registry);
            TopicProvisioner.provision(config);
            contracts.register(config);
            for (int image = 0; image < 30; image++) {
                send("tags", "image-" + image, tags("cat"));
            }
            send("tags", "image-0", tags("dog"));
            send("tags", "image-1", null);
            send("tags", "not an event", new byte[] {1, 2, 3});
            send("label-vocabulary", "cat", contracts.label().serializer().serialize("label-vocabulary", label("cat")));

            IndexPosition reached;
            try (SearchIndex index = SearchIndex.open(directory);
                    TopicFollower follower = follower(index)) {
                EventHub.Listener listener = events.listen(0);
                awaitSize(index, 29);
                assertThat(index.imagesWith("dog")).isEqualTo(1);
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> vocabulary.find("cat").isPresent());
                assertThat(listener.poll(0)).as("no past events are sent").isEmpty();

                send("tags", "image-30", tags("cat"));
                List<LiveEvent> told = listener.poll(PATIENCE.toMillis());
                assertThat(told).extracting(LiveEvent::kind).containsExactly(LiveEvent.Kind.TAGGED);
                assertThat(index.find("image-30"))
                        .as("an image that was announced can be found")
                        .isPresent();
                follower.close();
                reached = index.position();
                assertThat(reached.next().values().stream()
                                .mapToLong(Long::longValue)
                                .sum())
                        .isEqualTo(34);
                index.delete("image-2"); // would reappear if the topic were read again
                index.commit(reached);
            }

            send("tags", "image-31", tags("cat"));
            try (SearchIndex index = SearchIndex.open(directory);
                    TopicFollower follower = follower(index)) {
                awaitSize(index, 30);
                assertThat(index.find("image-2"))
                        .as("a restart continues where it stopped")
                        .isEmpty();
                assertThat(index.find("image-31")).isPresent();
                assertThat(follower.behind()).isNotNegative();
            }

            recreateTags();
            send("tags", "image-100", tags("heron"));
            try (SearchIndex index = SearchIndex.open(directory);
                    TopicFollower follower = follower(index)) {
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> index.find("image-100").isPresent());
                assertThat(index.size())
                        .as("nothing is left of the previous topic")
                        .isEqualTo(1);
                assertThat(index.newest(
                                        new ImageFilter(
                                                List.of("heron"),
                                                OptionalDouble.of(0.5),
                                                Optional.empty(),
                                                Optional.empty()),
                                        10,
                                        Optional.empty())
                                .total())
                        .isEqualTo(1);
                assertThat(follower.behind()).isNotNegative();
            }
        }
    }

    private TopicFollower follower(SearchIndex index) {
        TopicFollower follower = new TopicFollower(
                config,
                contracts,
                Optional.of(index),
                new LiveViews(vocabulary, new FailureView(), events),
                () -> new VocabularyInForce(1, 1),
                Optional::empty);
        follower.start();
        return follower;
    }

    private static void awaitSize(SearchIndex index, int size) {
        Awaitility.await().atMost(PATIENCE).until(() -> index.size() == size);
    }

    private void recreateTags() throws Exception {
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            admin.deleteTopics(List.of("tags")).all().get();
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> !admin.listTopics().names().get().contains("tags"));
        }
        TopicProvisioner.provision(config);
    }

    private void send(String topic, String key, byte[] value) throws Exception {
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(config.kafkaSettings(), new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, key, value)).get();
        }
    }

    private static Label label(String name) {
        return Label.newBuilder().setName(name).build();
    }

    private byte[] tags(String label) {
        TagEvent event = TagEvent.newBuilder()
                .setUri("file:///photos/x.jpg")
                .setSha256("0".repeat(64))
                .setWidth(640)
                .setHeight(480)
                .setTags(List.of(new Tag(label, label, 0.9f, 0.5f)))
                .setModel(new Model("everyday", "1"))
                .setVocabularyEpoch(1)
                .setCause(Cause.NEW_IMAGE)
                .setTaggedAt(Instant.now())
                .build();
        return contracts.tagEvent().serializer().serialize("tags", event);
    }
}
