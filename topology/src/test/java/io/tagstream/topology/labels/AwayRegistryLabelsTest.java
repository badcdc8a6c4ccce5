/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Label;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.waits.WaitReason;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

/** Labels whose schema is not known while the schema registry is away. */
class AwayRegistryLabelsTest {
    private static final int FOREIGN = 1_000;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(11);

    private final Registry registry = new Registry();
    private final FakeTopics topics = new FakeTopics();
    private final EncoderStage stage = new EncoderStage(topics, registry, FakeModelRuntime.manual(1));

    @Test
    void shouldHoldUpALabelAndThoseAfterItAndKeepTheOthersInForce() {
        stage.start();
        stage.put("ant");
        stage.passQuietly();
        EncoderStage.Instance instance = stage.new Instance();
        assertThat(instance.labels()).containsExactly("ant");
        assertThat(stage.waits.ofLabels()).isEmpty();

        registry.away = true;
        stage.putBytes("bee", foreign("bee"));
        stage.put("cat");
        stage.put("ant", null);
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("ant");
        assertThat(stage.waits.ofLabels())
                .hasValueSatisfying(wait -> assertThat(wait.reason()).isEqualTo(WaitReason.REGISTRY_AWAY));
        stage.pass(LONGEST_PAUSE);
        assertThat(stage.waits.waitingLabels()).isEqualTo(3);

        registry.away = false;
        stage.pass(LONGEST_PAUSE);
        assertThat(instance.labels()).containsExactly("bee", "cat");
        assertThat(stage.waits.ofLabels()).isEmpty();
        assertThat(stage.waits.waitingLabels()).isZero();
        assertThat(stage.failures).isEmpty();

        stage.put("dog");
        stage.passQuietly();
        assertThat(instance.labels()).containsExactly("bee", "cat", "dog");
    }

    @Test
    void shouldAskSeldom() {
        stage.start();
        registry.away = true;
        stage.putBytes("bee", foreign("bee"));
        assertThat(registry.asked).isOne();
        int minutes = 10;
        stage.pass(Duration.ofMinutes(minutes));
        assertThat(registry.asked).isBetween(minutes * 5, minutes * 6 + 10);
    }

    @Test
    void shouldTakeWhatWaitedBeforeARestart() {
        stage.start();
        List.of("ant", "eel").forEach(stage::put);
        stage.put("eel", null);
        stage.passQuietly();
        EncoderStage.Instance instance = stage.new Instance();
        long epoch = instance.epoch();
        registry.away = true;
        stage.putBytes("bee", foreign("bee"));
        stage.put("cat");
        stage.passQuietly();

        stage.restart();
        assertThat(instance.labels()).containsExactly("ant");
        assertThat(stage.waits.ofLabels()).isPresent();

        registry.away = false;
        stage.pass(LONGEST_PAUSE);
        assertThat(instance.labels()).containsExactly("ant", "bee", "cat");
        assertThat(instance.epoch()).isEqualTo(epoch + 2);
        assertThat(stage.waits.ofLabels()).isEmpty();
    }

    @Test
    void shouldSayNothingOnceAnotherInstanceHasTheEncoder() {
        stage.start();
        registry.away = true;
        stage.putBytes("bee", foreign("bee"));
        assertThat(stage.waits.ofLabels()).isPresent();
        stage.stop();
        assertThat(stage.waits.ofLabels()).isEmpty();
    }

    /** A label with the id of a schema that only the registry knows. */
    private byte[] foreign(String name) {
        Label label = Label.newBuilder().setName(name).build();
        byte[] own = stage.contracts.label().serializer().serialize(EncoderStage.LABELS, label);
        return ByteBuffer.wrap(own).putInt(1, FOREIGN).array();
    }

    /** Knows the contract under another id, and may be away. */
    private static final class Registry implements SchemaRegistry {
        private final SchemaRegistry schemas = SchemaRegistries.inMemory();
        private boolean away;
        private int asked;

        @Override
        public int register(String subject, Schema schema) {
            return schemas.register(subject, schema);
        }

        @Override
        public Schema schemaById(int id) {
            if (id != FOREIGN) {
                return schemas.schemaById(id);
            }
            asked++;
            if (away) {
                throw new RegistryUnavailableException("no answer", null);
            }
            return Label.getClassSchema();
        }

        @Override
        public void close() {}
    }
}
