/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.ImageReference;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.waits.WaitReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.apache.avro.Schema;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records whose schema is not known while the schema registry is away. */
class AwayRegistryTest {
    private static final int FIRST_FOREIGN = 1_000;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final Registry registry = new Registry();
    private final Queue<Runnable> questions = new ArrayDeque<>();
    private final Inflow inflow = new Inflow();
    private final List<TopologyTestDriver> drivers = new ArrayList<>();
    private Contracts contracts;
    private FakeModelRuntime model;
    private TaggingContext shared;
    private TopologyTestDriver driver;
    private long nanos;
    private TestInputTopic<byte[], byte[]> images;

    /** What each image came to, in order: the URI of its tags, or "deleted". */
    private final Map<String, List<String>> outcomes = new HashMap<>();

    private final List<TestRecord<byte[], byte[]>> letters = new ArrayList<>();

    /** Starts a process, which knows only its own schemas; its predecessor's stores are lost. */
    private void start(Object... settings) {
        registry.away = null;
        contracts = new Contracts(registry);
        TagstreamConfig config = TestConfig.with(settings);
        contracts.register(config);
        model = FakeModelRuntime.manual(1_000);
        Vocabulary vocabulary = new Vocabulary(
                "label-embeddings",
                model.description(),
                contracts.labelEmbedding().deserializer());
        vocabulary.require("topic-1", -1, 1);
        shared = new TaggingContext(config, contracts, vocabulary, model, new SimpleMeterRegistry(), inflow);
        shared.registry().askOn(questions::add);
        shared.useClock(() -> nanos);
        driver = new TopologyTestDriver(
                TaggingTopology.build(config, shared), TestConfig.driverProperties(config, "tagstream"));
        drivers.add(driver);
        TestRules.mark(driver, contracts, config, model.description());
        images = driver.createInputTopic("images", new ByteArraySerializer(), new ByteArraySerializer());
    }

    @AfterEach
    void close() {
        drivers.forEach(TopologyTestDriver::close);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTagOtherImagesMeanwhileAndKeepTheOrderOfEach(boolean repartition) {
        start(TagstreamConfig.IMAGES_REPARTITION, repartition);
        registry.away = new RegistryUnavailableException("down", null);
        submit("stuck", foreign("fake:first", 1));
        submit("stuck", own("fake:second"));
        submit("stuck", null);
        submit("stuck", foreign("fake:third", 1));
        submit("free", own("fake:free"));
        pass(LONGEST_PAUSE);
        assertThat(outcomes).isEqualTo(Map.of("free", List.of("fake:free")));
        assertThat(waiting()).isOne();

        registry.away = null;
        pass(LONGEST_PAUSE);
        assertThat(outcomes.get("stuck")).containsExactly("fake:first", "fake:second", "deleted", "fake:third");
        assertThat(waiting()).isZero();
        assertThat(pending()).isZero();
    }

    @Test
    void shouldNotAskForEveryRecordNorOnTheStreamThread() {
        start();
        registry.away = new RegistryUnavailableException("down", null);
        submit("image-0", foreign("fake:dog", 1));
        assertThat(registry.asked).as("by the stream thread, once").isOne();
        for (int image = 1; image < 100; image++) {
            submit("image-" + image, foreign("fake:dog", 1));
        }
        advance(Duration.ofMillis(20));
        assertThat(registry.asked).isOne();

        int minutes = 10;
        for (int second = 0; second < minutes * 60; second++) {
            pass(Duration.ofSeconds(1));
        }
        assertThat(registry.asked).as("about every 10 s").isBetween(minutes * 6, minutes * 8);
        registry.away = null;
        pass(LONGEST_PAUSE);
        assertThat(outcomes).hasSize(100);
    }

    @Test
    void shouldReadOneSchemaWhileTheAnswerForAnotherIsNonsense() {
        start();
        registry.away = new RegistryUnavailableException("down", null);
        submit("image-1", foreign("fake:one", 1));
        submit("image-2", foreign("fake:two", 2));
        registry.away = null;
        registry.nonsense = FIRST_FOREIGN + 1;
        pass(LONGEST_PAUSE);
        assertThat(outcomes).isEqualTo(Map.of("image-2", List.of("fake:two")));
        assertThat(waiting()).isOne();

        registry.nonsense = -1;
        pass(LONGEST_PAUSE);
        assertThat(outcomes).containsEntry("image-1", List.of("fake:one"));
    }

    @Test
    void shouldWaitForCredentialsThatTheRegistryAccepts() {
        start();
        registry.away = new AuthenticationException("answered 401");
        submit("image-1", foreign("fake:dog", 1));
        pass(LONGEST_PAUSE);
        assertThat(shared.waits().of(0).orElseThrow().detail()).contains("answered 401");
        registry.away = null;
        pass(LONGEST_PAUSE);
        assertThat(outcomes).containsEntry("image-1", List.of("fake:dog"));
    }

    @Test
    void shouldMakeADeadLetterOfWhatTheRegistryDoesNotKnowAfterAll() {
        start();
        registry.away = new RegistryUnavailableException("down", null);
        byte[] value = foreign("fake:dog", 1);
        Headers headers = new RecordHeaders().add("trace", bytes("1"));
        images.pipeInput(new TestRecord<>(bytes("image-1"), value, headers, 1_700_000_000_000L));
        submit("image-1", own("fake:next"));
        pass(LONGEST_PAUSE);
        assertThat(outcomes).isEmpty();

        registry.away = new SerializationException("Schema id 1001 not found");
        pass(LONGEST_PAUSE);
        assertThat(letters).hasSize(1);
        TestRecord<byte[], byte[]> letter = letters.get(0);
        assertThat(letter.key()).isEqualTo(bytes("image-1"));
        assertThat(letter.value()).isEqualTo(value);
        assertThat(letter.timestamp()).isEqualTo(1_700_000_000_000L);
        assertThat(letter.headers().lastHeader("trace").value()).isEqualTo(bytes("1"));
        assertThat(DeadLetters.reason(letter.headers()).position()).isEqualTo("images-0@0");
        assertThat(DeadLetters.reason(letter.headers()).message()).contains("not found");
        assertThat(outcomes).isEqualTo(Map.of("image-1", List.of("fake:next")));
        assertThat(pending()).isZero();
        assertThat(waiting()).isZero();
    }

    @Test
    void shouldCountImagesThatCannotBeReadAgainstTheBoundOfPendingOnes() {
        start(TagstreamConfig.TASK_PENDING_MAX, 3);
        registry.away = new RegistryUnavailableException("down", null);
        TopicPartition input = new TopicPartition("tagstream-images-repartition", 0);
        for (int image = 0; image < 3; image++) {
            assertThat(inflow.holds(input)).isFalse();
            submit("image-" + image, foreign("fake:dog", 1));
        }
        assertThat(inflow.holds(input)).isTrue();
        registry.away = null;
        pass(LONGEST_PAUSE);
        assertThat(inflow.holds(input)).isFalse();
        assertThat(outcomes).hasSize(3);
    }

    @Test
    void shouldResumeWhatCouldNotBeReadBeforeARestart() {
        start();
        registry.away = new RegistryUnavailableException("down", null);
        submit("image-1", foreign("fake:first", 1));
        submit("image-1", own("fake:second"));
        pass(LONGEST_PAUSE);
        List<byte[]> pending = new ArrayList<>();
        store().all().forEachRemaining(entry -> pending.add(entry.value));
        assertThat(pending).hasSize(2);

        start(); // with a new cache of schemas
        registry.away = new RegistryUnavailableException("down", null);
        for (byte[] entry : pending) {
            driver.createInputTopic(
                            "tagstream-images-repartition", new ByteArraySerializer(), new ByteArraySerializer())
                    .pipeInput(bytes("image-1"), entry);
        }
        pass(LONGEST_PAUSE);
        assertThat(outcomes).isEmpty();
        registry.away = null;
        pass(LONGEST_PAUSE);
        assertThat(outcomes).isEqualTo(Map.of("image-1", List.of("fake:first", "fake:second")));
    }

    private void submit(String id, byte[] value) {
        images.pipeInput(bytes(id), value);
    }

    /** Lets time pass, questions be answered and images be scored, until nothing more comes of it. */
    private void pass(Duration time) {
        advance(time);
        for (int turn = 0; turn < 10; turn++) {
            List<Runnable> all = List.copyOf(questions);
            questions.clear();
            all.forEach(Runnable::run);
            model.complete(model.waiting());
            advance(Duration.ofMillis(20));
        }
        for (TestRecord<byte[], byte[]> event : read("tags")) {
            outcomes.computeIfAbsent(text(event.key()), id -> new ArrayList<>())
                    .add(event.value() == null ? "deleted" : uri(event.value()));
        }
        letters.addAll(read("dead-letters"));
    }

    private void advance(Duration time) {
        nanos += time.toNanos();
        driver.advanceWallClockTime(time);
    }

    private String uri(byte[] event) {
        return contracts.tagEvent().deserializer().deserialize("tags", event).getUri();
    }

    private List<TestRecord<byte[], byte[]>> read(String topic) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    private long waiting() {
        return shared.waits().partitions(WaitReason.REGISTRY_AWAY);
    }

    private KeyValueStore<Long, byte[]> store() {
        return driver.getKeyValueStore(TaggingTopology.PENDING_STORE);
    }

    private long pending() {
        return store().approximateNumEntries();
    }

    private byte[] own(String uri) {
        ImageReference reference = ImageReference.newBuilder().setUri(uri).build();
        return contracts.imageReference().serializer().serialize("images", reference);
    }

    /** The same with the id of a schema that only the registry knows. */
    private byte[] foreign(String uri, int schema) {
        return ByteBuffer.wrap(own(uri)).putInt(1, FIRST_FOREIGN + schema).array();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Knows the contract under any id, and may be away. */
    private static final class Registry implements SchemaRegistry {
        private final SchemaRegistry schemas = SchemaRegistries.inMemory();
        private RuntimeException away;
        private int nonsense = -1;
        private int asked;

        @Override
        public int register(String subject, Schema schema) {
            return schemas.register(subject, schema);
        }

        @Override
        public Schema schemaById(int id) {
            asked++;
            if (away != null) {
                throw away;
            }
            if (id == nonsense) {
                throw new RegistryUnavailableException("no usable answer", null);
            }
            return id >= FIRST_FOREIGN ? ImageReference.getClassSchema() : schemas.schemaById(id);
        }

        @Override
        public void close() {}
    }
}
