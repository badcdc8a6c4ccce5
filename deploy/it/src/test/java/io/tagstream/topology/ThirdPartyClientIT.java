/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A third-party client, Confluent's for Python, submits images and reads what Tagstream makes of them.
 *
 * <p>Needs a Python with {@code deploy/it/src/test/clients/requirements.txt} in the environment variable {@code IT_PYTHON};
 * without it the test is skipped, unless {@code CI} is set.
 */
@InRun
class ThirdPartyClientIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Longer than the client's own timeout, whose message says more. */
    private static final long PATIENCE_SECONDS = 120;

    @TempDir
    Path state;

    @TempDir
    Path work;

    @Test
    void shouldSubmitImagesAndReadTagsChangesAndFailures() throws Exception {
        String python = python();
        try (TestCluster cluster = TestCluster.start();
                Stage stage = new Stage(cluster, state);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 5)) {
            stage.label("dog");
            stage.flush();
            stage.start(model);
            String images = stage.topic(TagstreamConfig.IMAGES_TOPIC);
            run(python, cluster, "submit", images, "image-1", "fake:dog");
            run(python, cluster, "submit", images, "image-2", "fail:CORRUPT_IMAGE");

            JsonNode tags = read(python, cluster, stage.topic(TagstreamConfig.TAGS_TOPIC));
            assertThat(tags.path("key").asText()).isEqualTo("image-1");
            assertThat(tags.at("/value/uri").asText()).isEqualTo("fake:dog");
            assertThat(tags.at("/value/tags/0/labelId").asText()).isEqualTo("dog");
            assertThat(tags.at("/value/attributes/from").asText()).isEqualTo("python");
            assertThat(tags.at("/value/cause").asText()).isEqualTo("NEW_IMAGE");

            JsonNode change = read(python, cluster, stage.topic(TagstreamConfig.TAG_CHANGES_TOPIC));
            assertThat(change.at("/value/added/0/name").asText()).isEqualTo("dog");

            JsonNode failure = read(python, cluster, stage.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC));
            assertThat(failure.path("key").asText()).isEqualTo("image-2");
            assertThat(failure.at("/value/reason").asText()).isEqualTo("CORRUPT_IMAGE");

            JsonNode embedding = read(python, cluster, stage.topic(TagstreamConfig.EMBEDDINGS_TOPIC));
            assertThat(embedding.at("/value/content/labelId").asText()).isEqualTo("dog");
        }
    }

    private static String python() {
        String python = System.getenv("IT_PYTHON");
        if (python != null) {
            return python;
        }
        String message = "IT_PYTHON does not name a Python with deploy/it/src/test/clients/requirements.txt";
        if (System.getenv("CI") != null) {
            return fail(message);
        }
        return abort(message);
    }

    /** The topic's first record. */
    private JsonNode read(String python, TestCluster cluster, String topic) throws Exception {
        return JSON.readTree(run(python, cluster, "read", topic, "1"));
    }

    private String run(String python, TestCluster cluster, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(python, "src/test/clients/avro_client.py", cluster.bootstrapServers(), cluster.registryUrl()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(work, "client", ".out");
        Path errors = Files.createTempFile(work, "client", ".err");
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .as("%s ends within %d s; it wrote%n%s", command, PATIENCE_SECONDS, Files.readString(errors))
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
        return Files.readString(output);
    }
}
