/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tagstream.console.Console;
import io.tagstream.console.ConsoleKeys;
import io.tagstream.console.ConsoleServices;
import io.tagstream.console.ShownInstance;
import io.tagstream.console.api.ApiClient;
import io.tagstream.console.peers.ClusterImageQueries;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.model.LabelText;
import io.tagstream.operations.Operations;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.query.Explanation;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.query.QueryUnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two instances, each with the images of its partitions, and queries about all images. */
@InRun
class ClusterQueriesIT {
    private static final String TOKEN = "open sesame";
    private static final int IMAGES = 60;

    @TempDir
    Path state;

    /** An instance that can be queried over HTTP. */
    private static final class Asked implements AutoCloseable {
        private final int port = freePort();
        private final Tagstream tagstream;
        private final ClusterImageQueries queries;
        private final Operations operations;
        private final ConsoleServices services;

        Asked(Stage stage, FakeModelRuntime model) throws Exception {
            Object[] settings = {
                TagstreamConfig.HTTP_PORT, port, ConsoleKeys.CONSOLE_ENABLED, true, ConsoleKeys.CONSOLE_TOKEN, TOKEN
            };
            tagstream = stage.start(model, settings);
            TagstreamConfig config = stage.config(settings);
            Console console = new Console(config);
            operations =
                    new Operations(config, Optional::empty, Optional::empty, Optional.empty(), Optional.of(console));
            queries = new ClusterImageQueries(tagstream.images(), Optional.of(TOKEN));
            services = new ConsoleServices(
                    console,
                    config,
                    stage.contracts(),
                    new ShownInstance(tagstream, model.description(), operations.metrics()),
                    Optional.empty(),
                    Optional.of(queries));
        }

        private static int freePort() throws IOException {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            }
        }

        @Override
        public void close() {
            services.close();
            operations.close();
        }
    }

    @Test
    void shouldAnswerAboutTheImagesOfEveryInstance() throws Exception {
        try (TestCluster cluster = TestCluster.start();
                Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5)) {
            stage.label("dog");
            stage.flush();
            try (Asked one = new Asked(stage, model);
                    Asked other = new Asked(stage, model)) {
                for (int i = 0; i < IMAGES; i++) {
                    stage.image("image-" + i, i % 2 == 0 ? "fake:dog+heron" : "fake:dog");
                }
                stage.flush();
                await().atMost(Duration.ofMinutes(2))
                        .ignoreExceptionsInstanceOf(QueryUnavailableException.class)
                        .until(() -> known(one) + known(other) == IMAGES && known(one) > 0 && known(other) > 0);

                Preview preview = one.queries.preview(new LabelText("heron", List.of()), OptionalDouble.of(0.99), 7);
                assertThat(preview.knownImages()).isEqualTo(IMAGES);
                assertThat(preview.unknownImages()).isZero();
                assertThat(preview.thresholds())
                        .contains(new Preview.Matches(0.99, IMAGES / 2), new Preview.Matches(0.1, IMAGES))
                        .hasSize(21);
                assertThat(preview.best()).hasSize(7).allMatch(image -> image.score() == 1);
                ApiClient client = new ApiClient(
                        URI.create("http://127.0.0.1:" + other.port), Optional.of(TOKEN), ApiClient.Scope.ALL);
                assertThat(client.preview(new LabelText("heron", List.of()), OptionalDouble.of(0.99), 7))
                        .as("every instance gives the same answer")
                        .isEqualTo(preview.summary());
                assertThat(client.progress().total()).isEqualTo(IMAGES);
                for (int i = 0; i < IMAGES; i++) {
                    Explanation explanation = one.queries.explain("image-" + i).orElseThrow();
                    assertThat(explanation.labels())
                            .singleElement()
                            .satisfies(label -> assertThat(label.emitted()).isTrue());
                    assertThat(explanation.history()).hasSize(1);
                    assertThat(client.explain("image-" + i)).contains(explanation);
                }
                assertThat(client.explain("nobody's")).isEmpty();

                other.operations.close();
                assertThatThrownBy(() -> one.queries.progress())
                        .as("half of the images are not all of them")
                        .isInstanceOf(QueryUnavailableException.class)
                        .hasMessageContaining("127.0.0.1:" + other.port);
            }
        }
    }

    private static long known(Asked instance) {
        return instance.tagstream.images().progress().total();
    }
}
