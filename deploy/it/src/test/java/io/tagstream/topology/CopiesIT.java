/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.SteeredClients.Fault;
import io.tagstream.topology.tagging.TaggingMetric;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What instances say about the copies of each other's state, on a real broker. */
@InFull
class CopiesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String ADDRESS = "kafka." + StreamsConfig.APPLICATION_SERVER_CONFIG;

    private static TestCluster cluster;

    @TempDir
    private Path state;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = TestCluster.start();
    }

    @AfterAll
    static void stopCluster() throws Exception {
        cluster.close();
    }

    @Test
    void shouldSayWhetherAnyInstanceMayStop() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 1)) {
            stage.label("dog");
            stage.flush();
            Tagstream first = stage.start(model, ADDRESS, "first:1");
            for (int image = 0; image < 300; image++) {
                stage.image("image-" + image, "fake:dog");
            }
            stage.flush();
            stage.outcomes(all -> all.size() >= 300);
            assertSays(first, false, "no other instance copies partitions 0, 1, 2 of this instance");
            assertThat(gauge(stage, first, TaggingMetric.UNCOPIED)).isEqualTo(3);

            clients.suffering(Fault.NO_STATE);
            Tagstream second = stage.startUnready(model, clients, ADDRESS, "second:1");
            await("copies that are behind").atMost(PATIENCE).untilAsserted(() -> {
                assertThat(second.copies().text()).matches("the copies of partitions .* are not complete: .* left");
                assertThat(second.copies().healthy()).isFalse();
                assertThat(copies(stage, second, "behind")).isPositive();
            });

            clients.mend();
            await("complete copies")
                    .atMost(PATIENCE)
                    .until(() -> first.copies().healthy() && second.copies().healthy());
            await("every partition to have one")
                    .atMost(PATIENCE)
                    .until(() -> copies(stage, first, "complete") + copies(stage, second, "complete") == 3);
            assertThat(copies(stage, second, "behind")).isZero();
            assertThat(gauge(stage, second, TaggingMetric.COPIES_LAG)).isZero();
            assertThat(gauge(stage, first, TaggingMetric.UNCOPIED)).isZero();

            for (int image = 0; image < 300; image++) {
                stage.image("later-" + image, "fake:dog");
            }
            stage.flush();
            stage.outcomes(all -> all.size() >= 600);
            await("copies that follow")
                    .atMost(PATIENCE)
                    .until(() -> first.copies().healthy() && second.copies().healthy());

            second.close();
            assertSays(first, false, "no other instance copies partitions 0, 1, 2 of this instance");
        }
    }

    private static void assertSays(Tagstream instance, boolean healthy, String text) {
        await(text).atMost(PATIENCE).untilAsserted(() -> {
            assertThat(instance.copies().text()).isEqualTo(text);
            assertThat(instance.copies().healthy()).isEqualTo(healthy);
        });
    }

    private static double gauge(Stage stage, Tagstream instance, TaggingMetric metric) {
        return stage.metrics(instance).get(metric.id()).gauge().value();
    }

    private static double copies(Stage stage, Tagstream instance, String copiesState) {
        return stage.metrics(instance)
                .get(TaggingMetric.COPIES.id())
                .tag("state", copiesState)
                .gauge()
                .value();
    }
}
