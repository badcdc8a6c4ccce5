/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.topics.TopicScan;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code tagstream failures} as its users run it, on topics that hold every kind of failure. */
@InRun
class FailuresCommandIT {
    private static Instant begin;

    private static TestCluster cluster;
    private static TagstreamConfig config;
    private static SchemaRegistry registry;
    private static Contracts contracts;
    private static KafkaProducer<byte[], byte[]> producer;

    @BeforeAll
    static void writeFailures() throws Exception {
        begin = Instant.now().minusSeconds(3_600);
        cluster = TestCluster.start();
        config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS, cluster.bootstrapServers(),
                TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl(),
                TopicKeys.TOPICS_PARTITIONS, 2));
        TopicProvisioner.provision(config);
        registry = SchemaRegistries.connect(config.registrySettings());
        contracts = new Contracts(registry);
        contracts.register(config);
        producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        cluster.bootstrapServers(),
                        ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                        "failures-it"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();

        producer.beginTransaction();
        fail("slow", ImageFailureReason.FETCH_TIMEOUT, 1, 0, false);
        fail("slow", ImageFailureReason.FETCH_TIMEOUT, 2, 1, false);
        fail("broken", ImageFailureReason.CORRUPT_IMAGE, 3, 2, false);
        fail("large", ImageFailureReason.RECORD_TOO_LARGE, 4, 3, true);
        fail("tagged", ImageFailureReason.FETCH_TIMEOUT, 5, 4, false);
        fail("deleted", ImageFailureReason.FETCH_TIMEOUT, 6, 5, false);
        fail("again", ImageFailureReason.FETCH_FAILED, 7, 6, false);
        send("tags", "tagged", new byte[] {0}, 100);
        send("tags", "deleted", null, 100);
        send("tags", "slow", new byte[] {0}, -100); // tags of an earlier version
        send("images", "again", reference("again"), 100);
        send("image-failures", "nonsense", "no avro".getBytes(StandardCharsets.UTF_8), 8);
        producer.commitTransaction();
        producer.beginTransaction();
        fail("ghost", ImageFailureReason.FETCH_TIMEOUT, 9, 7, false);
        producer.flush();
        producer.abortTransaction();
    }

    @AfterAll
    static void stopCluster() throws Exception {
        producer.close();
        registry.close();
        cluster.close();
    }

    @Test
    void shouldListFailuresAndSubmitTheOriginalRecordsAgain() throws Exception {
        Run current = failures("list");
        assertThat(current.exitCode()).as(current.errors()).isZero();
        assertThat(current.lines())
                .extracting(FailuresCommandIT::imageId)
                .containsExactly("slow", "broken", "large", "again");
        assertThat(current.lines().get(0)).contains("FETCH_TIMEOUT", "images-0@1", "2 attempts: told to fail");
        assertThat(current.errors())
                .contains("left out the record at image-failures-", "which is not an image failure");

        Run timeouts = failures("list", "--reason", "fetch_timeout", "--all", "--limit", "3", "--json");
        assertThat(timeouts.lines()).hasSize(3);
        Map<String, JsonNode> byId = timeouts.byImageId();
        assertThat(byId.keySet()).containsExactly("slow", "tagged", "deleted");
        assertThat(byId.get("slow").path("attempts").asInt()).isEqualTo(2);
        assertThat(byId.get("slow").path("origin").path("offset").asLong()).isEqualTo(1);

        Run dry = failures("replay", "--dry-run");
        assertThat(dry.lines())
                .containsExactly(
                        "would submit images-0@1  slow  FETCH_TIMEOUT",
                        "would submit images-0@2  broken  CORRUPT_IMAGE");
        assertThat(dry.errors())
                .contains(
                        "left out images-0@3, large",
                        "did not fit",
                        "left out images-0@6, again: since submitted again or deleted");
        assertThat(dry.exitCode()).as("one cannot be submitted").isEqualTo(1);
        assertThat(failures("replay", "--dry-run", "--json").lines())
                .containsExactly(
                        "{\"id\":\"slow\",\"reason\":\"FETCH_TIMEOUT\",\"origin\":\"images-0@1\",\"resubmission\":null}",
                        "{\"id\":\"broken\",\"reason\":\"CORRUPT_IMAGE\",\"origin\":\"images-0@2\",\"resubmission\":null}");
        assertThat(written("images")).hasSize(1);

        Run replay = failures("replay", "--reason", "FETCH_TIMEOUT");
        assertThat(replay.exitCode()).as(replay.errors()).isZero();
        assertThat(replay.lines())
                .singleElement()
                .asString()
                .startsWith("images-0@1 -> images-")
                .endsWith("slow  FETCH_TIMEOUT");
        assertThat(written("images")).hasSize(2).anySatisfy(record -> {
            assertThat(text(record.key())).isEqualTo("slow");
            assertThat(record.value()).isEqualTo(reference("slow"));
            assertThat(record.headers()).isEqualTo(headers("slow"));
        });

        Run twice = failures("replay", "--reason", "FETCH_TIMEOUT");
        assertThat(twice.exitCode()).as(twice.errors()).isZero();
        assertThat(twice.errors()).contains("nothing to submit");
        assertThat(written("images")).hasSize(2);
    }

    @Test
    void shouldListDeadLettersAndSubmitTheirBytesToWhereTheyWereFound() throws Exception {
        RecordHeaders headers = headers("letter");
        Map.of("topic", "label-vocabulary", "partition", "0", "offset", "17", "message", "no avro at all")
                .forEach((name, value) ->
                        headers.add("__streams.errors." + name, value.getBytes(StandardCharsets.UTF_8)));
        byte[] value = {1, 2, 3};
        producer.beginTransaction();
        var unused = producer.send(
                new ProducerRecord<>("dead-letters", 0, "dog".getBytes(StandardCharsets.UTF_8), value, headers));
        producer.commitTransaction();

        Run listed = failures("list", "--dead-letters");
        assertThat(listed.lines()).singleElement().asString().contains("dog  label-vocabulary-0@17: no avro at all");

        Run replay = failures("replay", "--dead-letters", "--id", "label-vocabulary-0@17");
        assertThat(replay.exitCode()).as(replay.errors()).isZero();
        assertThat(replay.lines())
                .singleElement()
                .asString()
                .startsWith("label-vocabulary-0@17 -> label-vocabulary-0@");
        assertThat(written("label-vocabulary")).singleElement().satisfies(record -> {
            assertThat(text(record.key())).isEqualTo("dog");
            assertThat(record.value()).isEqualTo(value);
            assertThat(record.headers()).isEqualTo(headers("letter"));
        });
    }

    @Test
    void shouldSayHowItIsUsed() throws Exception {
        assertRefused(
                CommandProcess.run("failures"),
                "a command is missing: list, replay",
                "See 'tagstream failures --help'");
        assertRefused(
                failures("list", "--since", "yesterday"),
                "--since yesterday: give a time such as 90s, 30m",
                "See 'tagstream failures list --help'");
        assertRefused(
                failures("replay", "--set", "images.topic"),
                "option '--set'",
                "See 'tagstream failures replay --help'");
    }

    private static void assertRefused(Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.errors()).contains(message).doesNotContain("option option");
    }

    private static Run failures(String... arguments) throws Exception {
        return CommandProcess.run(Stream.of(
                        Stream.of("failures", arguments[0]),
                        Stream.of("--set", "bootstrap.servers=" + cluster.bootstrapServers()),
                        Stream.of("--set", "schema.registry.url=" + cluster.registryUrl()),
                        Arrays.stream(arguments).skip(1))
                .flatMap(part -> part)
                .toArray(String[]::new));
    }

    private static void fail(String id, ImageFailureReason reason, int second, long offset, boolean truncated) {
        ImageFailure failure = ImageFailure.newBuilder()
                .setReference(
                        ImageReference.newBuilder().setUri("file:///" + id).build())
                .setReason(reason)
                .setMessage("told to fail")
                .setAttempts(2)
                .setFailedAt(begin.plusSeconds(second))
                .setOrigin(new RecordOrigin("images", 0, offset))
                .setTimestamp(begin.minusSeconds(60))
                .setTruncated(truncated)
                .build();
        send("image-failures", id, contracts.imageFailure().serializer().serialize("image-failures", failure), second);
    }

    /** Writes a record with a timestamp this many seconds after the beginning. */
    private static void send(String topic, String key, byte[] value, int second) {
        var unused = producer.send(new ProducerRecord<>(
                topic,
                null,
                begin.plusSeconds(second).toEpochMilli(),
                key.getBytes(StandardCharsets.UTF_8),
                value,
                headers(key)));
    }

    private static RecordHeaders headers(String id) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("trace", id.getBytes(StandardCharsets.UTF_8)).add("empty", null);
        return headers;
    }

    private static byte[] reference(String id) {
        return contracts
                .imageReference()
                .serializer()
                .serialize(
                        "images",
                        ImageReference.newBuilder().setUri("file:///" + id).build());
    }

    private static List<ConsumerRecord<byte[], byte[]>> written(String topic) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (TopicScan scan = new TopicScan(config)) {
            String key = topic.equals("images") ? TagstreamConfig.IMAGES_TOPIC : TagstreamConfig.LABELS_TOPIC;
            scan.read(key, Optional.empty(), records::add);
        }
        return records;
    }

    /** The second column of a listed failure. */
    private static String imageId(String line) {
        String afterTime = line.substring(line.indexOf("  ") + 2);
        return afterTime.substring(0, afterTime.indexOf("  "));
    }

    private static String text(byte[] key) {
        return new String(key, StandardCharsets.UTF_8);
    }
}
