/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.TagEvent;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.local.registry.LocalRegistry;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.PoisonIT.UnreachableRegistry;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingMetric;
import io.tagstream.topology.waits.WaitReason;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A schema registry that stops and starts again, while images arrive whose schema only the registry knows. */
@InFull
class AwayRegistryIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int OTHERS = 30;

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
    void shouldTagOtherImagesMeanwhile() throws Exception {
        try (Stage stage = new Stage(cluster, state, TagstreamConfig.HEALTH_TAGGING_AFTER_MILLIS, 2_000L);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            byte[] foreign = PoisonIT.ofAnotherSchema(stage);
            LocalRegistry server = LocalRegistry.start(cluster.bootstrapServers(), 0);
            int port = URI.create(server.url()).getPort();
            try (SchemaRegistry registry =
                    SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, server.url()))) {
                Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
                server.close();
                submit(stage, foreign);

                assertThat(stage.outcomes(atLeast(OTHERS)))
                        .extracting(Read::key)
                        .hasSize(OTHERS)
                        .doesNotContain("stuck");
                await().atMost(PATIENCE).untilAsserted(() -> {
                    assertThat(instance.tagging().healthy()).isFalse();
                    assertThat(instance.tagging().text())
                            .contains("(" + WaitReason.REGISTRY_AWAY + ")", "Cannot look up schema id")
                            .matches("(?s)images of partitions? \\d of .*");
                });
                assertThat(instance.notReadyBecause()).as("no thread died").isEmpty();

                server = LocalRegistry.start(cluster.bootstrapServers(), port);
                assertThatAllAreTaggedOnceAndInOrder(stage);
                await().atMost(PATIENCE).until(() -> instance.tagging().healthy());
                assertThat(instance.notReadyBecause()).isEmpty();
            } finally {
                server.close();
            }
        }
    }

    @Test
    void shouldResumeImagesThatCouldNotBeReadBeforeARestart() throws Exception {
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            byte[] foreign = PoisonIT.ofAnotherSchema(stage);
            UnreachableRegistry away = new UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            try (Tagstream first = stage.start(model, away, new DefaultKafkaClientSupplier())) {
                assertThat(first.ready()).isTrue();
                submit(stage, foreign);
                stage.outcomes(atLeast(OTHERS));
                await().atMost(PATIENCE)
                        .until(() -> stage.metrics(first)
                                        .get(TaggingMetric.PENDING.id())
                                        .gauge()
                                        .value()
                                == 2);
            }

            UnreachableRegistry stillAway = new UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            Tagstream second = stage.start(model, stillAway, new DefaultKafkaClientSupplier());
            await("asked in vain").atMost(PATIENCE).until(() -> stillAway.refusals() > 1);
            assertThat(second.failure()).isNotDone();
            stillAway.answer();
            assertThatAllAreTaggedOnceAndInOrder(stage);
        }
    }

    private static void submit(Stage stage, byte[] foreign) {
        stage.send(TagstreamConfig.IMAGES_TOPIC, "stuck", foreign);
        stage.image("stuck", "fake:heron");
        for (int image = 0; image < OTHERS; image++) {
            stage.image("image-" + image, "fake:dog");
        }
        stage.flush();
    }

    private static void assertThatAllAreTaggedOnceAndInOrder(Stage stage) {
        List<Read<Object>> outcomes = stage.outcomes(atLeast(OTHERS + 2));
        assertThat(outcomes).hasSize(OTHERS + 2);
        assertThat(outcomes)
                .filteredOn(read -> read.key().equals("stuck"))
                .extracting(read -> ((TagEvent) read.value()).getUri())
                .containsExactly("fake:dog", "fake:heron");
        assertThat(outcomes)
                .filteredOn(read -> !read.key().equals("stuck"))
                .extracting(Read::key)
                .doesNotHaveDuplicates();
        await("nothing pending").atMost(PATIENCE).until(() -> stage.pending() == 0);
        assertThat(stage.read(Map.of(TagstreamConfig.DEAD_LETTERS_TOPIC, new ByteArrayDeserializer()), all -> true))
                .isEmpty();
    }

    private static Predicate<List<Read<Object>>> atLeast(int outcomes) {
        return all -> all.size() >= outcomes;
    }
}
