/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.ModelDescription;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.records.Contracts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;

class VocabularyTest {
    private static final String TOPIC = "label-embeddings";

    /** The id of the label-vocabulary topic. */
    private static final String LABELS = "topic-1";

    private final ModelDescription model = FakeModelRuntime.describe("1", 1, "mine");
    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final MarkerRules rules = TestRules.of(TestConfig.with(), model);
    private final Vocabulary vocabulary =
            new Vocabulary(TOPIC, model, contracts.labelEmbedding().deserializer());

    @Test
    void shouldNotBeReadyBeforeItsEndIsKnown() {
        mark(7, 0);

        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause())
                .hasValueSatisfying(reason -> assertThat(reason).contains("end is not known"));
    }

    @Test
    void shouldBeReadyWithTheFirstMarkerWhenTheVocabularyWasNeverWritten() {
        vocabulary.require(LABELS, VocabularySnapshot.EMPTY_EPOCH, 1);
        assertThat(vocabulary.snapshot()).isEmpty();
        mark(-1, 0);

        assertThat(vocabulary.snapshot()).hasValueSatisfying(snapshot -> {
            assertThat(snapshot.size()).isZero();
            assertThat(snapshot.epoch()).isEqualTo(-1);
        });
    }

    @Test
    void shouldSayThatItIsEmptyWhileItIsInForceAndHasNoLabels() {
        assertThat(vocabulary.emptiness()).as("nothing is known yet").isEmpty();
        vocabulary.require(LABELS, VocabularySnapshot.EMPTY_EPOCH, 1);
        mark(-1, 0);
        assertThat(vocabulary.emptiness())
                .hasValueSatisfying(text -> assertThat(text).contains("no tags", "labels import --bundle"));
        assertThat(vocabulary.size()).isZero();

        put("dog", 0);
        mark(0, 1);
        assertThat(vocabulary.emptiness()).isEmpty();
        assertThat(vocabulary.size()).isEqualTo(1);

        remove("dog");
        mark(1, 0);
        assertThat(vocabulary.emptiness()).isPresent();
    }

    @Test
    void shouldWaitForAMarkerThatCoversTheEnd() {
        vocabulary.require(LABELS, 3, 1);
        put("dog", 0);
        mark(2, 1);
        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause().orElseThrow()).contains("offset 2 of 3");

        mark(3, 1);
        assertThat(vocabulary.snapshot().orElseThrow().epoch()).isEqualTo(3);
    }

    @Test
    void shouldChangeAtMarkersOnly() {
        vocabulary.require(LABELS, 0, 1);
        put("dog", 0);
        put("ant", 1);
        mark(1, 2);
        VocabularySnapshot before = vocabulary.snapshot().orElseThrow();
        put("cat", 2);
        remove("dog");

        assertThat(vocabulary.snapshot().orElseThrow()).isSameAs(before);
        assertThat(before.labels()).extracting(VocabularyLabel::id).containsExactly("ant", "dog");

        mark(3, 2);
        assertThat(vocabulary.snapshot().orElseThrow().labels())
                .extracting(VocabularyLabel::id)
                .containsExactly("ant", "cat");
        assertThat(before.labels()).as("a snapshot never changes").hasSize(2);
    }

    @Test
    void shouldPutAMarkerInForceWithAsManyLabelsAsItSaysOnly() {
        vocabulary.require(LABELS, 1, 1);
        put("ant", 0);
        mark(1, 2); // the topic has lost a label
        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause().orElseThrow())
                .contains("epoch 1", "2 labels", "1 on topic " + TOPIC, "the label encoder repairs this");

        put("dog", 1); // the encoder writes it again, and then the marker
        mark(1, 2);
        assertThat(ids()).containsExactly("ant", "dog");

        VocabularySnapshot before = vocabulary.snapshot().orElseThrow();
        remove("ant");
        mark(2, 2);
        assertThat(vocabulary.snapshot().orElseThrow())
                .as("what was in force stays in force")
                .isSameAs(before);
        put("cat", 3);
        mark(3, 2);
        assertThat(ids()).containsExactly("cat", "dog");
        assertThat(vocabulary.epoch()).isEqualTo(3);
    }

    @Test
    void shouldWaitForTheNextMarkerWhereCompactionTookWhatALaterChangeReplaced() {
        vocabulary.require(LABELS, 1, 1);
        // dog@0 ant@1 marker@1 dog@2 owl@3, the encoder's group still open: compacted, dog@0 is gone
        put("ant", 1);
        mark(1, 2);
        put("dog", 2);
        put("owl", 3);
        assertThat(vocabulary.snapshot()).isEmpty();

        mark(3, 3);
        assertThat(ids()).containsExactly("ant", "dog", "owl");
    }

    @Test
    void shouldNotTakeAMarkerOfATopicThatWasReplacedForCover() {
        put("dog", 1);
        mark(402, new VocabularyMarker(1, "topic-0", 402L, rules));
        vocabulary.require(LABELS, 0, 1);
        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause().orElseThrow()).contains("was recreated");

        mark(403, new VocabularyMarker(1, LABELS, 0L, rules));
        assertThat(vocabulary.snapshot().orElseThrow().epoch()).isEqualTo(403);
    }

    @Test
    void shouldKeepWorkingWhereTheTopicIsReplacedLater() {
        put("dog", 1);
        mark(402, new VocabularyMarker(1, LABELS, 402L, rules));
        vocabulary.require(LABELS, 402, 1);
        assertThat(vocabulary.snapshot()).isPresent();

        mark(403, new VocabularyMarker(1, "topic-2", 0L, rules));
        assertThat(vocabulary.snapshot().orElseThrow().epoch()).isEqualTo(403);
    }

    @Test
    void shouldKeepWorkingWhereAMarkerOfAReplacedTopicArrivesAfterItStartedEmpty() {
        vocabulary.require(LABELS, VocabularySnapshot.EMPTY_EPOCH, 1);
        mark(-1, 0);
        assertThat(vocabulary.snapshot()).isPresent();

        mark(402, new VocabularyMarker(0, "topic-0", 402L, rules));
        assertThat(vocabulary.snapshot().orElseThrow().epoch()).isEqualTo(402);
        assertThat(vocabulary.notReadyBecause()).isEmpty();
    }

    @Test
    void shouldWaitForAMarkerWithTheControlRecord() {
        vocabulary.require(LABELS, 0, 2);
        mark(0, 0);
        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause().orElseThrow()).contains("control revision 1, not yet 2");

        mark(1, new VocabularyMarker(0, LABELS, 0L, revision(2)));
        assertThat(vocabulary.snapshot().orElseThrow().rules().getRevision()).isEqualTo(2);

        vocabulary.require(3);
        assertThat(vocabulary.snapshot()).isEmpty();
        mark(2, new VocabularyMarker(0, LABELS, 0L, revision(3)));
        assertThat(vocabulary.snapshot().orElseThrow().rules().getRevision()).isEqualTo(3);
    }

    private MarkerRules revision(long revision) {
        return MarkerRules.newBuilder(rules).setRevision(revision).build();
    }

    @Test
    void shouldTakeLabelsOfAnEarlierVersionButNotItsMarker() {
        vocabulary.require(LABELS, 3, 1);
        put("dog", 1);
        mark(2, new VocabularyMarker(1, null, -1L, null));
        assertThat(vocabulary.snapshot()).isEmpty();
        mark(3, new VocabularyMarker(1, null, -1L, null));
        assertThat(vocabulary.snapshot()).isEmpty();
        assertThat(vocabulary.notReadyBecause().orElseThrow()).contains("control revision 0, not yet 1");

        mark(3, 1);
        assertThat(ids()).containsExactly("dog");
    }

    private List<String> ids() {
        return vocabulary.snapshot().orElseThrow().labels().stream()
                .map(VocabularyLabel::id)
                .toList();
    }

    @Test
    void shouldHoldVectorsInTheOrderOfLabels() {
        vocabulary.require(LABELS, 0, 1);
        put("b", 2);
        put("a", 1);
        mark(2, 2);

        VocabularySnapshot snapshot = vocabulary.snapshot().orElseThrow();
        float[] rows = new float[8];
        snapshot.vectors().get(rows);
        assertThat(rows).containsExactly(1, 1, 1, 1, 2, 2, 2, 2);
        assertThat(snapshot.vectors().isDirect()).isTrue();
    }

    @Test
    void shouldLeaveOutOtherModelsAndWhatItCannotRead() {
        vocabulary.require(LABELS, 0, 1);
        put("dog", 0);
        apply("0000/cat", embedding(0, new EncodedLabel("cat", label("cat"), vector(1, 4), 0L, 0f, 1f)));
        vocabulary.apply(key(model.textFingerprint() + "/bad"), new byte[] {9, 9});
        vocabulary.apply(null, new byte[0]);
        vocabulary.apply(key("no slash"), new byte[0]);
        apply(
                model.textFingerprint() + "/short",
                embedding(0, new EncodedLabel("short", label("short"), vector(1, 3), 0L, 0f, 1f)));
        mark(0, 1);

        assertThat(vocabulary.snapshot().orElseThrow().labels())
                .extracting(VocabularyLabel::id)
                .containsExactly("dog");
    }

    @Test
    void shouldWaitForARegistryThatDoesNotAnswer() {
        AtomicInteger refusals = new AtomicInteger(2);
        Deserializer<LabelEmbedding> whole = contracts.labelEmbedding().deserializer();
        Vocabulary waiting = new Vocabulary(TOPIC, model, (topic, bytes) -> {
            if (refusals.getAndDecrement() > 0) {
                throw new RegistryUnavailableException("down", null);
            }
            return whole.deserialize(topic, bytes);
        });
        byte[] marker = contracts
                .labelEmbedding()
                .serializer()
                .serialize(TOPIC, embedding(4, new VocabularyMarker(0, LABELS, 4L, rules)));

        waiting.apply(key(EmbeddingKey.marker(model.textFingerprint()).toString()), marker);

        assertThat(waiting.epoch()).isEqualTo(4);
    }

    @Test
    void shouldNotWaitForTheRegistryOnceItIsClosed() {
        Vocabulary waiting = new Vocabulary(TOPIC, model, (topic, bytes) -> {
            throw new RegistryUnavailableException("down", null);
        });
        waiting.close();

        waiting.apply(key(EmbeddingKey.marker(model.textFingerprint()).toString()), new byte[0]);

        assertThat(waiting.epoch()).isEqualTo(VocabularySnapshot.EMPTY_EPOCH);
    }

    @Test
    void shouldNotGoBackToAnOlderMarker() {
        vocabulary.require(LABELS, 0, 1);
        mark(9, 0);
        mark(4, 0);

        assertThat(vocabulary.epoch()).isEqualTo(9);
    }

    private void put(String id, int value) {
        apply(
                new EmbeddingKey(model.textFingerprint(), id).toString(),
                embedding(0, new EncodedLabel(id, label(id), vector(value, 4), 0L, 0f, 1f)));
    }

    private void remove(String id) {
        vocabulary.apply(key(new EmbeddingKey(model.textFingerprint(), id).toString()), null);
    }

    private void mark(long epoch, int labels) {
        mark(epoch, new VocabularyMarker(labels, LABELS, epoch, rules));
    }

    private void mark(long epoch, VocabularyMarker marker) {
        apply(EmbeddingKey.marker(model.textFingerprint()).toString(), embedding(epoch, marker));
    }

    private void apply(String key, LabelEmbedding embedding) {
        vocabulary.apply(key(key), contracts.labelEmbedding().serializer().serialize(TOPIC, embedding));
    }

    private LabelEmbedding embedding(long offset, Object content) {
        return new LabelEmbedding(model.textFingerprint(), offset, content);
    }

    private static Label label(String name) {
        return Label.newBuilder().setName(name).build();
    }

    private static ByteBuffer vector(float value, int size) {
        ByteBuffer bytes = ByteBuffer.allocate(size * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < size; i++) {
            bytes.putFloat(value);
        }
        return bytes.flip();
    }

    private static byte[] key(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
