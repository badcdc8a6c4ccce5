/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.vocabulary.Vocabulary;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records that must not make Tagstream fail, each with the outcome that it has instead. */
class PoisonRecordsTest {
    private static final int LIMIT = 65_536;

    private final Registry registry = new Registry();
    private final Contracts contracts = new Contracts(registry);
    private final FakeModelRuntime model = FakeModelRuntime.manual(8);
    private TopologyTestDriver driver;
    private TestInputTopic<byte[], byte[]> images;

    private void start(Object... settings) {
        List<Object> all = new ArrayList<>(List.of("kafka.max.request.size", LIMIT));
        all.addAll(List.of(settings));
        TagstreamConfig config = TestConfig.with(all.toArray());
        contracts.register(config);
        Vocabulary vocabulary = new Vocabulary(
                "label-embeddings",
                model.description(),
                contracts.labelEmbedding().deserializer());
        vocabulary.require("topic-1", -1, 1);
        driver = new TopologyTestDriver(
                TaggingTopology.build(
                        config,
                        new TaggingContext(
                                config, contracts, vocabulary, model, new SimpleMeterRegistry(), new Inflow())),
                TestConfig.driverProperties(config, "tagstream"));
        TestRules.mark(driver, contracts, config, model.description());
        images = driver.createInputTopic("images", new ByteArraySerializer(), new ByteArraySerializer());
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldFailAReferenceThatIsTooLargeInItsTurn(boolean repartition) {
        start(TagstreamConfig.IMAGES_REPARTITION, repartition);
        submit("image-1", "fake:dog", 0);
        submit("image-1", "fake:large", 2_000_000);
        submit("image-2", "fake:dog", 0);

        model.complete(2);
        assertThat(failures()).as("not before its elder").isEmpty();
        punctuate();

        assertThat(tags())
                .extracting(TestRecord::key)
                .map(PoisonRecordsTest::text)
                .containsExactly("image-1", "image-2");
        ImageFailure failure = failures().get(0);
        assertThat(failure.getReason()).isEqualTo(ImageFailureReason.RECORD_TOO_LARGE);
        assertThat(failure.getMessage()).contains("2000", "65536", "kafka.max.request.size");
        assertThat(failure.getReference().getUri()).isEqualTo("fake:large");
        assertThat(failure.getReference().getAttributes()).isEmpty();
        assertThat(failure.getTruncated()).isTrue();
        assertThat(failure.getOrigin().getOffset()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fake:dog", "fail:CORRUPT_IMAGE"})
    void shouldWriteNothingThatDoesNotFitWhateverTheSizeOfTheReference(String uri) {
        start();
        int submitted = 0;
        for (int bytes = LIMIT - 2_400; bytes < LIMIT + 100; bytes += 20) {
            submit("image-" + bytes, uri, bytes);
            submitted++;
            while (model.waiting() > 0) {
                model.complete(1);
            }
            punctuate();
        }

        List<TestRecord<byte[], byte[]>> written = new ArrayList<>(tags());
        int tagged = written.size();
        written.addAll(read("image-failures"));
        assertThat(written).hasSize(submitted);
        assertThat(tagged).as("tagged").isLessThan(submitted);
        assertThat(written)
                .allSatisfy(record -> assertThat(RecordLimit.sizeOf(record.key(), record.value(), record.headers()))
                        .isLessThanOrEqualTo(LIMIT));
    }

    @Test
    void shouldDeleteAnImageWhateverTheHeaders() {
        start();
        images.pipeInput(
                new TestRecord<>(bytes("image-1"), null, new RecordHeaders().add("large", new byte[2 * LIMIT])));
        punctuate();

        TestRecord<byte[], byte[]> deletion = tags().get(0);
        assertThat(deletion.value()).isNull();
        assertThat(deletion.headers()).isEmpty();
    }

    @Test
    void shouldKeepWhatHasAnIdThatDoesNotFitAsADeadLetter() {
        start();
        byte[] id = "x".repeat(40_000).getBytes(StandardCharsets.UTF_8);
        images.pipeInput(id, reference("fake:dog", 0));

        TestRecord<byte[], byte[]> letter = deadLetters().get(0);
        assertThat(letter.key()).isEqualTo(id);
        assertThat(DeadLetters.reason(letter.headers()).message()).contains("image id alone is 40000 bytes");
    }

    @Test
    void shouldCutADeadLetterThatDoesNotFit() {
        start();
        byte[] key = bytes("image-1");
        RecordHeaders headers = new RecordHeaders();
        headers.add("trace", new byte[] {1});
        images.pipeInput(new TestRecord<>(key, new byte[LIMIT - 1_500], headers)); // fits without a stack trace
        images.pipeInput(new TestRecord<>(key, new byte[2 * LIMIT], headers));
        images.pipeInput(new TestRecord<>(new byte[2 * LIMIT], bytes("{}"), headers));

        List<TestRecord<byte[], byte[]>> letters = deadLetters();
        assertThat(letters.get(0).value()).hasSize(LIMIT - 1_500);
        assertThat(DeadLetters.original(letters.get(0).headers())).isEqualTo(headers);
        assertThat(DeadLetters.reason(letters.get(0).headers()).truncated()).isFalse();
        assertThat(letters.get(1).key()).isEqualTo(key);
        assertThat(letters.get(2).key()).isNull();
        assertThat(letters.subList(1, 3)).allSatisfy(letter -> {
            assertThat(letter.value()).isNull();
            assertThat(DeadLetters.reason(letter.headers()).truncated()).isTrue();
            assertThat(DeadLetters.reason(letter.headers()).position()).startsWith("images-0@");
        });
    }

    @Test
    void shouldKeepWhatMeetsABugAsADeadLetter() {
        start();
        byte[] unknownId =
                ByteBuffer.wrap(reference("fake:dog", 0)).putInt(1, 4711).array();
        registry.answer = id -> {
            throw new IllegalStateException("a bug");
        };
        images.pipeInput(bytes("image-1"), unknownId);
        assertThat(deadLetters()).hasSize(1);
    }

    @Test
    void shouldNeverAskTheRegistryForWhatItWritesOnceItRuns() {
        start();
        registry.closed = true;
        submit("image-1", "fake:dog", 0);
        submit("image-2", "fail:CORRUPT_IMAGE", 0);
        submit("image-3", "fake:large", 2 * LIMIT);
        images.pipeInput(bytes("image-4"), (byte[]) null);
        model.complete(2);
        punctuate();
        images.pipeInput(bytes("image-1"), (byte[]) null);
        punctuate();

        assertThat(tags()).hasSize(3);
        assertThat(failures()).hasSize(2);
    }

    private void submit(String id, String uri, int attributeBytes) {
        images.pipeInput(bytes(id), reference(uri, attributeBytes));
    }

    private byte[] reference(String uri, int attributeBytes) {
        ImageReference reference = ImageReference.newBuilder()
                .setUri(uri)
                .setAttributes(attributeBytes == 0 ? Map.of() : Map.of("notes", "n".repeat(attributeBytes)))
                .build();
        return contracts.imageReference().serializer().serialize("images", reference);
    }

    private void punctuate() {
        driver.advanceWallClockTime(Duration.ofMillis(20));
    }

    private List<TestRecord<byte[], byte[]>> tags() {
        return read("tags");
    }

    private List<ImageFailure> failures() {
        return read("image-failures").stream()
                .map(record -> contracts.imageFailure().deserializer().deserialize("image-failures", record.value()))
                .toList();
    }

    private List<TestRecord<byte[], byte[]>> deadLetters() {
        return read("dead-letters");
    }

    private List<TestRecord<byte[], byte[]>> read(String topic) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A registry for which the test decides the answers about unknown ids, and its patience. */
    private static final class Registry implements SchemaRegistry {
        private final SchemaRegistry schemas = SchemaRegistries.inMemory();
        private Function<Integer, Schema> answer = schemas::schemaById;
        private boolean closed;

        @Override
        public int register(String subject, Schema schema) {
            assertThat(closed).as("registering %s", subject).isFalse();
            return schemas.register(subject, schema);
        }

        @Override
        public Schema schemaById(int id) {
            assertThat(closed).as("looking up %s", id).isFalse();
            return answer.apply(id);
        }

        @Override
        public void close() {}
    }
}
