/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** More images than a task may owe, on a real cluster: one stream thread serves all partitions. */
@InRun
class BackPressureIT {
    private static final int PENDING_MAX = 50;
    /** How many records the consumer may have polled before it is told to stop. */
    private static final int POLLED = 40;

    private static final int FLOOD = 1_000;
    private static final int PARTITIONS = 3;
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
    void shouldGoOnWithOtherPartitionsWhileOneOwesAsMuchAsItMay() throws Exception {
        try (Stage stage = new Stage(
                        cluster,
                        state,
                        TagstreamConfig.TASK_PENDING_MAX,
                        PENDING_MAX,
                        TopicKeys.TOPICS_PARTITIONS,
                        PARTITIONS,
                        "kafka.main.consumer.max.poll.records",
                        POLLED / 2,
                        "kafka.buffered.records.per.partition",
                        POLLED / 2);
                FakeModelRuntime model = FakeModelRuntime.completing(10_000, 1);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            stage.label("dog");
            stage.flush();
            stage.start(model);
            Set<String> members = members(admin, stage);
            Set<String> expected = new HashSet<>();
            for (int i = 0; i < FLOOD; i++) {
                String id = id("hangs-" + i, 0);
                stage.image(id, "hang:dog");
                expected.add(id);
            }
            await().atMost(Duration.ofSeconds(60)).until(() -> model.waiting() >= PENDING_MAX);

            Set<String> others = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                String id = id("other-" + i, 1 + i % (PARTITIONS - 1));
                stage.image(id, "fake:dog");
                others.add(id);
            }
            assertThat(stage.outcomes(outcomes -> outcomes.size() >= others.size()))
                    .as("other partitions do not wait for the full one")
                    .extracting(Read::key)
                    .containsExactlyInAnyOrderElementsOf(others);
            assertThat(model.waiting()).isBetween(PENDING_MAX, PENDING_MAX + POLLED);

            model.letGo();
            expected.addAll(others);
            List<Read<Object>> all = stage.outcomes(outcomes -> outcomes.size() >= expected.size());
            assertThat(all).extracting(Read::key).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(all).extracting(Read::value).hasOnlyElementsOfType(TagEvent.class);
            assertThat(members(admin, stage)).as("no member has joined or left").isEqualTo(members);
            await().atMost(Duration.ofSeconds(60)).until(() -> stage.pending() == 0);
        }
    }

    private static Set<String> members(Admin admin, Stage stage) throws Exception {
        String group = stage.config().applicationId();
        return admin
                .describeConsumerGroups(List.of(group))
                .describedGroups()
                .get(group)
                .get(60, TimeUnit.SECONDS)
                .members()
                .stream()
                .map(MemberDescription::consumerId)
                .collect(Collectors.toSet());
    }

    /** An image ID that begins with {@code name} and belongs to this partition. */
    private static String id(String name, int partition) {
        String id = name;
        for (int i = 0;
                Utils.toPositive(Utils.murmur2(id.getBytes(StandardCharsets.UTF_8))) % PARTITIONS != partition;
                i++) {
            id = name + "-" + i;
        }
        return id;
    }
}
