/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.schemas.registry.SchemaRegistryContract;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Checks that the fixture does what the other tests rely on, in whichever environment it runs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@InRun
class ClusterFixtureIT extends SchemaRegistryContract {
    private TestCluster cluster;

    @BeforeAll
    void start() throws IOException {
        cluster = TestCluster.start();
    }

    @AfterAll
    void stop() throws IOException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Override
    protected String url() {
        return cluster.registryUrl();
    }

    @Test
    void shouldGiveABrokerWithOneNode() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic("topic", Optional.of(2), Optional.empty())))
                    .all()
                    .get(30, TimeUnit.SECONDS);

            assertThat(admin.describeCluster().nodes().get(30, TimeUnit.SECONDS))
                    .hasSize(1);
            assertThat(admin.listTopics().names().get(30, TimeUnit.SECONDS)).contains("topic");
        }
    }
}
