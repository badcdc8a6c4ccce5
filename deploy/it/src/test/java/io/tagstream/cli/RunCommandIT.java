/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.SchemaBuilder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tagstream run} as its users run it: in a separate process, against an existing cluster. */
@InRun
class RunCommandIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int TERMINATED = 143;

    @TempDir
    Path directory;

    @Test
    void shouldTagWhatArrivesOnAClusterUntilItIsStopped() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            Path file = configuration(cluster.bootstrapServers(), cluster.registryUrl());

            Run refused = CommandProcess.run("run", "--config", file.toString(), "--set", "topics.create=false");
            assertThat(refused.exitCode()).as(refused.errors()).isEqualTo(1);
            assertThat(refused.errors())
                    .contains("missing topics", "images (3 partitions", "label-vocabulary (1 partition", "compacted")
                    .contains("topics.create=true");

            try (CommandProcess run = CommandProcess.start("run", "--config", file.toString());
                    SchemaRegistry registry = SchemaRegistries.connect(
                            Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()))) {
                Contracts contracts = new Contracts(registry);
                run.awaitNote("Images wait for the vocabulary");
                send(cluster, "label-vocabulary", "cat", cat(contracts));
                run.awaitNote("Tagging; vocabulary epoch ");
                run.awaitNote("Vocabulary of 1 labels in force");
                send(cluster, "images", "image-1", photo(contracts));

                ConsumerRecord<String, TagEvent> tags =
                        tags(cluster, contracts, 1).get(0);
                assertThat(tags.key()).isEqualTo("image-1");
                assertThat(tags.value().getTags()).extracting(Tag::getLabelId).containsExactly("cat");

                run.terminate();
                Run ended = run.awaitEnd();
                assertThat(ended.exitCode()).as(ended.errors()).isEqualTo(TERMINATED);
                assertThat(ended.errors()).contains("Stopped").doesNotContain("ERROR", "Exception");
            }
        }
    }

    @Test
    void shouldWaitWithAnotherBundleUntilItIsSwitchedTo() throws Exception {
        Path other = OtherBundle.in(directory.resolve("bundle"));
        try (TestCluster cluster = TestCluster.start();
                SchemaRegistry registry =
                        SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()))) {
            Contracts contracts = new Contracts(registry);
            String file = configuration(cluster.bootstrapServers(), cluster.registryUrl())
                    .toString();
            try (CommandProcess run = CommandProcess.start("run", "--config", file)) {
                run.awaitNote("Images wait for the vocabulary");
                send(cluster, "label-vocabulary", "cat", cat(contracts));
                run.awaitNote("Vocabulary of 1 labels in force");
                send(cluster, "images", "image-1", photo(contracts));
                assertThat(tags(cluster, contracts, 1).get(0).value().getModel().getId())
                        .isEqualTo("everyday");
                run.terminate();
                run.awaitEnd();
            }

            String bundle = "model.bundle=" + other;
            try (CommandProcess run =
                    CommandProcess.start("run", "--config", file, "--set", bundle, "--set", "http.port=0")) {
                run.awaitNote("this instance has bundle elsewhere ");
                String served = "are served on http://";
                run.awaitNote(served);
                String address =
                        run.errors().split(served, 2)[1].lines().findFirst().orElseThrow();
                HttpRequest ready = HttpRequest.newBuilder(URI.create("http://" + address.strip() + "/health/ready"))
                        .build();
                Awaitility.await() // no image waits, and it can answer
                        .atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> assertThat(HttpClient.newHttpClient()
                                        .send(ready, HttpResponse.BodyHandlers.ofString())
                                        .statusCode())
                                .isEqualTo(200));

                Run used = CommandProcess.run("model", "use", other.toString(), "--config", file);
                assertThat(used.exitCode()).as(used.errors()).isZero();
                assertThat(used.lines().get(0))
                        .matches("Bundle elsewhere \\S+ \\(generation 1\\) is in force \\(control revision 2\\);"
                                + " everyday \\S+ \\(generation \\d+\\) was before\\.");
                run.awaitNote("This instance takes partitions again");
                assertThat(tags(cluster, contracts, 2).get(1).value().getModel().getId())
                        .isEqualTo(OtherBundle.ID);
                run.terminate();
                assertThat(run.awaitEnd().exitCode()).isEqualTo(TERMINATED);
            }
        }
    }

    @Test
    void shouldSayWhatCannotBeReached() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            Path file = configuration(cluster.bootstrapServers(), "http://127.0.0.1:1");
            Run noRegistry = CommandProcess.run("run", "--config", file.toString(), "--set", "start.wait.ms=0");
            assertThat(noRegistry.exitCode()).as(noRegistry.errors()).isEqualTo(1);
            assertThat(noRegistry.errors())
                    .contains("no schema registry answers at http://127.0.0.1:1", "check schema.registry.url")
                    .doesNotContain("\tat ");

            try (SchemaRegistry registry =
                    SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()))) {
                registry.register(
                        "tags-value",
                        SchemaBuilder.record("Order")
                                .fields()
                                .requiredInt("amount")
                                .endRecord());
            }
            configuration(cluster.bootstrapServers(), cluster.registryUrl());
            Run incompatible = CommandProcess.run("run", "--config", file.toString());
            assertThat(incompatible.exitCode()).as(incompatible.errors()).isEqualTo(1);
            assertThat(incompatible.errors())
                    .contains("subject tags-value", "409", "Name another topic with tags.topic")
                    .doesNotContain("\tat ");
        }
        Run noCluster = CommandProcess.run(
                "run",
                "--config",
                configuration("127.0.0.1:1", "http://127.0.0.1:1").toString(),
                "--set",
                "start.wait.ms=0");
        assertThat(noCluster.exitCode()).as(noCluster.errors()).isEqualTo(1);
        assertThat(noCluster.errors())
                .contains("no Kafka cluster answers at 127.0.0.1:1", "check bootstrap.servers")
                .doesNotContain("\tat ");
    }

    @Test
    void shouldRefuseAConfigurationThatIsWrong() throws Exception {
        Path file = Files.writeString(
                directory.resolve("wrong.properties"),
                "bootstrap.servers = kafka:9092\nschema.registry.url = http://registry\nimages.topics = uploads\n");
        assertRefused(CommandProcess.run("run", "--config", file.toString()), "images.topics", "images.topic?");
        assertRefused(CommandProcess.run("run", "--config", "none.properties"), "none.properties does not exist");
    }

    private static void assertRefused(Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.errors())
                .startsWith("tagstream: ")
                .contains(message)
                .hasLineCount(2)
                .endsWith("See 'tagstream run --help'\n");
    }

    private Path configuration(String servers, String registry) throws Exception {
        return Files.write(
                directory.resolve("tagstream.properties"),
                List.of(
                        "bootstrap.servers = " + servers,
                        "schema.registry.url = " + registry,
                        "state.dir = " + directory.resolve("state"),
                        "topics.partitions = 3",
                        "fetch.file.roots = " + CommandProcess.SAMPLES.toAbsolutePath()));
    }

    private static void send(TestCluster cluster, String topic, String key, byte[] value) throws Exception {
        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, key, value)).get();
        }
    }

    private static byte[] cat(Contracts contracts) {
        Label cat = Label.newBuilder().setName("cat").build();
        return contracts.label().serializer().serialize("label-vocabulary", cat);
    }

    private static byte[] photo(Contracts contracts) {
        ImageReference photo = ImageReference.newBuilder()
                .setUri(CommandProcess.SAMPLES.resolve("cat.jpg").toUri().toString())
                .build();
        return contracts.imageReference().serializer().serialize("images", photo);
    }

    /** The first {@code count} committed records of the tags topic, all of one image. */
    private static List<ConsumerRecord<String, TagEvent>> tags(TestCluster cluster, Contracts contracts, int count) {
        Map<String, Object> settings = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                cluster.bootstrapServers(),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed");
        try (KafkaConsumer<String, TagEvent> consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), contracts.tagEvent().deserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("tags").stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            List<ConsumerRecord<String, TagEvent>> found = new ArrayList<>();
            Awaitility.await().atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
                return found.size() >= count;
            });
            return found;
        }
    }
}
