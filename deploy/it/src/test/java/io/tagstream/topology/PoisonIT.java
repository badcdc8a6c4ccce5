/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.topics.TopicReport;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records and circumstances that could stop the stream, on a real cluster. */
@InRun
class PoisonIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SESSION_TIMEOUT = "kafka.main.consumer.session.timeout.ms";
    private static final int KAFKAS_SESSION_TIMEOUT_MILLIS = 45_000;

    /** Nearly as much as a producer with default settings sends. */
    static final String LARGEST_URI = "fake:" + "d".repeat(1_048_400);

    /** The longest silence of partitions whose thread has died; well under the session timeout. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(25);

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
    void shouldStillOweAnOutcomeThatCouldNotBeWritten() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            FailingSends clients = new FailingSends(stage.topic(TagstreamConfig.TAGS_TOPIC));
            Tagstream instance = stage.start(model, clients);
            clients.failNextAtOnce();
            stage.image("image-1", "fake:dog");
            stage.outcomes(atLeast(1));
            clients.failNextLater();
            stage.image("image-2", "fake:dog");

            assertThat(stage.outcomes(atLeast(2)))
                    .extracting(Read::key)
                    .containsExactlyInAnyOrder("image-1", "image-2");
            assertThat(clients.failed()).isEqualTo(2);
            await("nothing pending").atMost(PATIENCE).until(() -> stage.pending() == 0);
            assertThat(instance.failure()).isNotDone();
        }
    }

    @Test
    void shouldFailWhatIsTooLargeForTheBrokerAndGoOn() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model);
            // up to the largest record that a producer with default settings sends; with its origin added, it is too
            // large for our producer
            for (int bytes = 1_047_400; bytes <= 1_048_300; bytes += 100) {
                stage.send(TagstreamConfig.IMAGES_TOPIC, "image-" + bytes, reference(stage, bytes));
            }
            stage.image("image-1", "fake:dog");

            List<Read<Object>> outcomes = stage.outcomes(atLeast(11));
            assertThat(outcomes).extracting(Read::key).hasSize(11).doesNotHaveDuplicates();
            assertThat(outcomes)
                    .filteredOn(read -> read.key().equals("image-1048300"))
                    .singleElement()
                    .satisfies(read -> assertThat(((ImageFailure) read.value()).getReason())
                            .isEqualTo(ImageFailureReason.RECORD_TOO_LARGE));
            assertThat(outcomes)
                    .filteredOn(read ->
                            read.key().equals("image-1047400") || read.key().equals("image-1"))
                    .allSatisfy(read -> assertThat(read.value()).isInstanceOf(TagEvent.class));
            await("nothing pending").atMost(PATIENCE).until(() -> stage.pending() == 0);
            assertThat(instance.failure()).isNotDone();
        }
    }

    @Test
    void shouldWaitForTheRegistryWithARecordWhoseSchemaItDoesNotKnow() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            UnreachableRegistry registry = new UnreachableRegistry(stage.registry(), 3);
            Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
            stage.send(TagstreamConfig.IMAGES_TOPIC, "image-1", ofAnotherSchema(stage));

            assertTaggedWithoutBlame(stage);
            assertThat(registry.refusals()).isEqualTo(3);
            assertThat(instance.failure()).isNotDone();
        }
    }

    @Test
    void shouldTakeNothingElseForTheRegistry() throws Exception {
        Queue<String> nonsense = new ArrayDeque<>(List.of(
                "{}",
                "null",
                "{\"schema\": \"{\\\"type\\\": \\\"rec\"}",
                "",
                "<html>Please log in</html>",
                "{\"status\": \"ok\"}"));
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1);
                ConfusedProxy proxy = ConfusedProxy.start(cluster.registryUrl(), nonsense);
                SchemaRegistry registry =
                        SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, proxy.url()))) {
            Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
            stage.send(TagstreamConfig.IMAGES_TOPIC, "image-1", ofAnotherSchema(stage));

            assertTaggedWithoutBlame(stage);
            assertThat(proxy.left()).isZero();
            assertThat(instance.failure()).isNotDone();
        }
    }

    private static void assertTaggedWithoutBlame(Stage stage) {
        List<Read<Object>> outcomes = stage.outcomes(atLeast(1));
        assertThat(outcomes)
                .singleElement()
                .satisfies(
                        read -> assertThat(((TagEvent) read.value()).getUri()).isEqualTo("fake:dog"));
        assertThat(stage.read(Map.of(TagstreamConfig.DEAD_LETTERS_TOPIC, new ByteArrayDeserializer()), all -> true))
                .as("the records themselves are valid")
                .isEmpty();
    }

    @Test
    void shouldTakeUpTheWorkOfADeadThreadLongBeforeItsSessionEnds() throws Exception {
        try (Stage stage = new Stage(cluster, state, SESSION_TIMEOUT, KAFKAS_SESSION_TIMEOUT_MILLIS);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            UnreachableRegistry registry = new UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            Tagstream instance =
                    stage.start(model, registry, new DefaultKafkaClientSupplier(), TagstreamConfig.STREAM_THREADS, 2);
            // too large to be accepted before it can be read
            stage.send(TagstreamConfig.IMAGES_TOPIC, "deadly", ofAnotherSchema(stage, LARGEST_URI));
            await("a death")
                    .atMost(PATIENCE)
                    .until(() -> instance.notReadyBecause()
                            .filter(reason -> reason.contains("a stream thread has failed"))
                            .isPresent());
            registry.answer();
            Instant answered = Instant.now();
            for (int i = 0; i < 30; i++) {
                stage.image("image-" + i, "fake:dog");
            }

            List<Read<Object>> outcomes = stage.outcomes(atLeast(31));
            assertThat(outcomes).extracting(Read::key).hasSize(31).doesNotHaveDuplicates();
            Instant last = outcomes.stream()
                    .filter(read -> !read.key().equals("deadly"))
                    .map(read -> ((TagEvent) read.value()).getTaggedAt())
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
            assertThat(Duration.between(answered, last)).as("silence").isLessThan(LONGEST_SILENCE);
            await().atMost(PATIENCE).until(instance::ready);
        }
    }

    @Test
    void shouldRefuseATopicThatTakesLessThanItsProducer() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic("small-tags", 1, (short) 1)
                            .configs(Map.of("cleanup.policy", "compact", "max.message.bytes", "500000"))))
                    .all()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        Map<String, Object> settings = Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS, cluster.bootstrapServers(),
                TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl(),
                TagstreamConfig.TAGS_TOPIC, "small-tags");

        TagstreamConfig config = new TagstreamConfig(settings);
        assertThat(TopicReport.of(config))
                .filteredOn(topic -> topic.name().equals("small-tags"))
                .singleElement()
                .matches(topic -> !topic.fit());
        assertThatThrownBy(() -> TopicProvisioner.provision(config))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("small-tags has max.message.bytes=500000")
                .hasMessageContaining("1048588 or more")
                .hasMessageContaining("kafka.max.request.size to 500000 or less");
    }

    private static Predicate<List<Read<Object>>> atLeast(int outcomes) {
        return all -> all.size() >= outcomes;
    }

    private static byte[] reference(Stage stage, int attributeBytes) {
        ImageReference reference = ImageReference.newBuilder()
                .setUri("fake:dog")
                .setAttributes(Map.of("notes", "n".repeat(attributeBytes)))
                .build();
        return stage.contracts()
                .imageReference()
                .serializer()
                .serialize(stage.topic(TagstreamConfig.IMAGES_TOPIC), reference);
    }

    /** An image that no schema of ours has written: only the registry knows how to read it. */
    static byte[] ofAnotherSchema(Stage stage) throws IOException {
        return ofAnotherSchema(stage, "fake:dog");
    }

    static byte[] ofAnotherSchema(Stage stage, String uri) throws IOException {
        Schema schema = SchemaBuilder.record("ImageReference")
                .namespace("io.tagstream.avro")
                .fields()
                .requiredString("uri")
                .requiredInt("camera")
                .endRecord();
        GenericRecord record = new GenericData.Record(schema);
        record.put("uri", uri);
        record.put("camera", 3);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int id = stage.registry().register("camera-value", schema);
        bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new GenericDatumWriter<>(schema).write(record, encoder);
        return bytes.toByteArray();
    }

    /** A registry that does not answer the first requests for schemas. */
    static final class UnreachableRegistry implements SchemaRegistry {
        private final SchemaRegistry registry;
        private final AtomicInteger left;
        private final AtomicInteger refusals = new AtomicInteger();

        UnreachableRegistry(SchemaRegistry registry, int most) {
            this.registry = registry;
            this.left = new AtomicInteger(most);
        }

        int refusals() {
            return refusals.get();
        }

        /** Answers from now on. */
        void answer() {
            left.set(0);
        }

        @Override
        public int register(String subject, Schema schema) {
            return registry.register(subject, schema);
        }

        @Override
        public Schema schemaById(int id) {
            if (left.getAndUpdate(questions -> Math.max(0, questions - 1)) > 0) {
                refusals.incrementAndGet();
                throw new RegistryUnavailableException("no answer (simulated by this test)", null);
            }
            return registry.schemaById(id);
        }

        @Override
        public void close() {}
    }
}
