/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.LabelFailureReason;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.waits.Waits;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LabelEncoderTopologyTest {
    private static final Duration QUIET = Duration.ofMillis(120);

    private final TagstreamConfig config = TestConfig.with();
    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final FakeModelRuntime model = FakeModelRuntime.manual(1);
    private final FakeTopics topics = new FakeTopics();
    private final String fingerprint = model.description().textFingerprint();
    private final TopologyTestDriver driver = new TopologyTestDriver(
            LabelEncoderTopology.build(
                    config,
                    contracts,
                    model,
                    () -> TestRules.control(config, model.description()),
                    () -> topics,
                    new Waits(),
                    new Pace(config.taskForward())),
            TestConfig.driverProperties(config, "labels"));
    private final TestInputTopic<byte[], byte[]> labels =
            driver.createInputTopic("label-vocabulary", new ByteArraySerializer(), new ByteArraySerializer());
    private final TestOutputTopic<String, LabelEmbedding> embeddings = driver.createOutputTopic(
            "label-embeddings",
            new StringDeserializer(),
            contracts.labelEmbedding().deserializer());
    private final TestOutputTopic<String, LabelFailure> failures = driver.createOutputTopic(
            "label-failures", new StringDeserializer(), contracts.labelFailure().deserializer());
    private final TestOutputTopic<byte[], byte[]> deadLetters =
            driver.createOutputTopic("dead-letters", new ByteArrayDeserializer(), new ByteArrayDeserializer());

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void shouldEncodeALabelAndMarkItOnceNoChangeFollows() {
        put("dog", label("dog"));

        KeyValue<String, LabelEmbedding> embedding = embeddings.readKeyValue();
        assertThat(embedding.key).isEqualTo(fingerprint + "/dog");
        assertThat(embedding.value.getSourceOffset()).isZero();
        assertThat(((EncodedLabel) embedding.value.getContent()).getVector().remaining())
                .isEqualTo(FakeModelRuntime.EMBEDDING_SIZE * Float.BYTES);
        assertThat(embeddings.isEmpty()).as("no marker before it is quiet").isTrue();

        passQuietly();
        KeyValue<String, LabelEmbedding> marker = embeddings.readKeyValue();
        assertThat(marker.key).isEqualTo(fingerprint + "/");
        assertThat(marker.value.getSourceOffset()).isZero();
        assertThat(((VocabularyMarker) marker.value.getContent()).getLabels()).isOne();
        passQuietly();
        assertThat(embeddings.isEmpty()).as("a marker is written once").isTrue();
    }

    @Test
    void shouldMakeAnImportOneGroup() {
        for (int i = 0; i < 500; i++) {
            put("label-" + i, label("name " + i));
        }
        passQuietly();

        List<LabelEmbedding> written = embeddings.readValuesToList();
        assertThat(written).hasSize(501);
        assertThat(written.get(500).getContent())
                .isEqualTo(new VocabularyMarker(
                        500, topics.topicId("label-vocabulary"), 499L, TestRules.of(config, model.description())));
        assertThat(written.get(500).getSourceOffset()).isEqualTo(499);
    }

    @Test
    void shouldNotTakeAThreadThatIsHeldUpForQuiet() {
        put("dog", label("dog"));
        driver.advanceWallClockTime(QUIET.multipliedBy(10));
        put("cat", label("cat"));
        passQuietly();

        assertThat(embeddings.readValuesToList())
                .filteredOn(written -> written.getContent() instanceof VocabularyMarker)
                .extracting(LabelEmbedding::getSourceOffset)
                .containsExactly(1L);
    }

    @Test
    void shouldMarkEvenIfChangesKeepComing() {
        for (int i = 0; i < 1500; i++) {
            put("label", label("name " + i));
            driver.advanceWallClockTime(Duration.ofMillis(50));
        }

        assertThat(embeddings.readValuesToList())
                .filteredOn(written -> written.getContent() instanceof VocabularyMarker)
                .as("75 s of changes every 50 ms, at most 60 s a group")
                .hasSize(1);
    }

    @Test
    void shouldKeepTheVectorWhenOnlyThresholdOrStateChange() {
        put("dog", label("dog"));
        put(
                "dog",
                Label.newBuilder(label("dog"))
                        .setThreshold(0.9)
                        .setState(LabelState.SHADOW)
                        .build());
        put("dog", label("hound"));

        List<LabelEmbedding> written = embeddings.readValuesToList();
        assertThat(written).extracting(LabelEmbedding::getSourceOffset).containsExactly(0L, 1L, 2L);
        assertThat(written)
                .extracting(embedding -> ((EncodedLabel) embedding.getContent()).getVectorOffset())
                .containsExactly(0L, 0L, 2L);
        assertThat(((EncodedLabel) written.get(1).getContent()).getLabel().getThreshold())
                .isEqualTo(0.9);
        assertThat(model.encodedLabels()).isEqualTo(2);
    }

    @Test
    void shouldKeepTheVectorsOffsetWhenANewTextGivesTheSameVector() {
        Label animal = Label.newBuilder(label("dog"))
                .setPrompts(List.of("a small animal that barks"))
                .build();
        put("dog", animal);
        put("dog", Label.newBuilder(animal).setName("Hund").build());

        assertThat(embeddings.readValuesToList())
                .extracting(written -> ((EncodedLabel) written.getContent()).getVectorOffset())
                .containsExactly(0L, 0L);
    }

    @Test
    void shouldRefuseABadLabelAndKeepItsPreviousVersion() {
        put("dog", label("dog"));
        put("dog", Label.newBuilder(label("dog")).setThreshold(1.5).build());
        put("dog", label(" "));
        put("dog", Label.newBuilder(label("dog")).setThreshold(Double.NaN).build());
        passQuietly();

        List<LabelFailure> refused = failures.readValuesToList();
        assertThat(refused)
                .extracting(LabelFailure::getReason)
                .containsExactly(
                        LabelFailureReason.BAD_THRESHOLD,
                        LabelFailureReason.EMPTY_NAME,
                        LabelFailureReason.BAD_THRESHOLD);
        assertThat(refused.get(0).getMessage()).contains("\"dog\"", "1.5", "from 0 to 1");
        assertThat(refused.get(0).getOrigin().getOffset()).isEqualTo(1);
        List<LabelEmbedding> written = embeddings.readValuesToList();
        assertThat(written).hasSize(2);
        assertThat(written.get(1).getSourceOffset())
                .as("the marker covers what was refused")
                .isEqualTo(3);
    }

    @Test
    void shouldKeepWhatItCannotReadAsADeadLetter() {
        byte[] key = "dog".getBytes(StandardCharsets.UTF_8);
        labels.pipeInput(new TestRecord<>(key, new byte[] {1, 2, 3}));
        labels.pipeInput(
                new TestRecord<>(null, contracts.label().serializer().serialize("label-vocabulary", label("x"))));
        passQuietly();

        TestRecord<byte[], byte[]> letter = deadLetters.readRecord();
        assertThat(letter.key()).isEqualTo(key);
        assertThat(letter.value()).containsExactly(1, 2, 3);
        assertThat(header(letter, "__streams.errors.topic")).isEqualTo("label-vocabulary");
        assertThat(header(letter, "__streams.errors.offset")).isEqualTo("0");
        assertThat(header(letter, "__streams.errors.message")).isNotBlank();
        assertThat(header(letter, "__streams.errors.stacktrace")).contains("Exception");
        assertThat(deadLetters.readRecord().key()).isNull();
        assertThat(failures.readValuesToList())
                .extracting(LabelFailure::getReason)
                .containsExactly(LabelFailureReason.UNREADABLE, LabelFailureReason.BAD_ID);
        assertThat(embeddings.readValue().getSourceOffset()).isEqualTo(1);
    }

    @Test
    void shouldRefuseALabelThatDoesNotFit() {
        put("dog", label("dog"));
        put(
                "dog",
                Label.newBuilder(label("dog"))
                        .setAttributes(Map.of("notes", "n".repeat(1_048_000)))
                        .build());
        put("x".repeat(1_048_000), label("long"));
        passQuietly();

        List<KeyValue<String, LabelFailure>> refused = failures.readKeyValuesToList();
        assertThat(refused)
                .extracting(failure -> failure.value.getReason())
                .containsExactly(LabelFailureReason.RECORD_TOO_LARGE, LabelFailureReason.BAD_ID);
        assertThat(refused.get(0).value.getMessage()).contains("1048576", "kafka.max.request.size");
        assertThat(refused.get(0).key).isEqualTo("dog");
        assertThat(refused.get(0).value.getLabel())
                .as("it does not fit there either")
                .isNull();
        assertThat(refused.get(1).key).hasSizeLessThan(3_000).startsWith("xxx").endsWith("...");
        assertThat(deadLetters.isEmpty()).as("they can be read").isTrue();
        assertThat(embeddings.readValuesToList())
                .extracting(LabelEmbedding::getSourceOffset)
                .as("the label in force, and the marker")
                .containsExactly(0L, 2L);
    }

    @Test
    void shouldRefuseALabelThatMeetsABug() {
        put("dog", label("throw:surprise"));
        put("cat", label("cat"));
        passQuietly();

        LabelFailure refused = failures.readValue();
        assertThat(refused.getReason()).isEqualTo(LabelFailureReason.INTERNAL_ERROR);
        assertThat(refused.getMessage()).contains("throw:surprise");
        assertThat(refused.getLabel()).isEqualTo(label("throw:surprise"));
        assertThat(embeddings.readValuesToList()).hasSize(2);
    }

    @Test
    void shouldRemoveALabel() {
        put("dog", label("dog"));
        put("cat", label("cat"));
        put("dog", null);
        put("never-there", null);
        passQuietly();

        List<KeyValue<String, LabelEmbedding>> written = embeddings.readKeyValuesToList();
        assertThat(written.get(2)).isEqualTo(KeyValue.pair(fingerprint + "/dog", null));
        assertThat(written.get(4).value.getContent())
                .isEqualTo(new VocabularyMarker(
                        1, topics.topicId("label-vocabulary"), 3L, TestRules.of(config, model.description())));
    }

    private void put(String id, Label label) {
        labels.pipeInput(
                id.getBytes(StandardCharsets.UTF_8),
                contracts.label().serializer().serialize("label-vocabulary", label));
    }

    private static Label label(String name) {
        return Label.newBuilder().setName(name).build();
    }

    private static String header(TestRecord<byte[], byte[]> letter, String name) {
        return new String(letter.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    /** Lets pass as much time as must pass without a change, at the pace at which an unhindered thread checks. */
    private void passQuietly() {
        for (Duration passed = Duration.ZERO; passed.compareTo(QUIET) <= 0; passed = passed.plusMillis(20)) {
            driver.advanceWallClockTime(Duration.ofMillis(20));
        }
    }
}
