/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.it.InFull;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Compose file as a whole: every service in a container. */
@InFull
class ComposeIT {
    /** System property: the program to test with, such as {@code docker-compose}. Without it, the test is skipped. */
    private static final String PROGRAM = "it.compose";

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Path DIRECTORY =
            Path.of("..", "compose").toAbsolutePath().normalize();
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Map<String, String> PORTS = new TreeMap<>();

    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeAll
    static void start() throws Exception {
        if (System.getProperty(PROGRAM) == null) {
            abort("no program to run the Compose file with; name one with -D" + PROGRAM);
        }
        for (String service : List.of("CONSOLE", "KAFKA", "OPENSEARCH", "PROMETHEUS", "REGISTRY")) {
            try (ServerSocket socket = new ServerSocket(0)) {
                PORTS.put(service + "_PORT", Integer.toString(socket.getLocalPort()));
            }
        }
        compose("up", "-d");
    }

    @AfterAll
    static void end() throws Exception {
        if (System.getProperty(PROGRAM) != null) {
            compose("down", "-v");
        }
    }

    @Test
    void shouldTagAPhotoFindItAndKeepItThroughARestart() throws Exception {
        compose("run", "--rm", "-T", "tagstream", "submit", "/photos/cat.jpg");
        awaitFound("cat");
        assertThat(text("CONSOLE_PORT", "/")).contains("<html");
        awaitMetric("up{job=\"tagstream\"}");
        awaitMetric("up{job=\"index\"}");
        awaitMetric("tagstream_tagging_outcomes_images_total{outcome=\"tagged\"}");

        compose("down");
        compose("up", "-d");

        awaitFound("cat");
        compose("run", "--rm", "-T", "tagstream", "submit", "/photos/bridge.jpg");
        awaitFound("bridge");
    }

    /** Waits until the console's search and OpenSearch find the photo of this name by the label of this name. */
    private void awaitFound(String name) {
        String photo = "file:///photos/%s.jpg".formatted(name);
        Awaitility.await("the console's search finds it")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(
                                json("CONSOLE_PORT", "/api/search?q=" + name).findValuesAsText("id"))
                        .contains(photo));
        Awaitility.await("OpenSearch finds it")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(json("OPENSEARCH_PORT", "/tags/_search?q=tagNames:" + name)
                                .findValuesAsText("_id"))
                        .contains(photo));
    }

    /** Waits until Prometheus has a metric with the value 1. */
    private void awaitMetric(String query) {
        Awaitility.await(query)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(json(
                                        "PROMETHEUS_PORT",
                                        "/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8))
                                .at("/data/result/0/value/1")
                                .asText())
                        .isEqualTo("1"));
    }

    private JsonNode json(String port, String path) throws IOException, InterruptedException {
        return JSON.readTree(text(port, path));
    }

    private String text(String port, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + PORTS.get(port) + path))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Runs the program in the Compose file's directory, and returns its output; fails if it does. */
    private static String compose(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(System.getProperty(PROGRAM).split(" ", -1)));
        command.addAll(List.of("-p", "tagstream-it"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(DIRECTORY.toFile()).redirectErrorStream(true);
        builder.environment().putAll(PORTS);
        String image = System.getProperty(ImageContainer.IMAGE);
        if (image != null) {
            builder.environment().put("TAGSTREAM_IMAGE", image);
        }
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s%n%s", String.join(" ", command), output)
                .isZero();
        return output;
    }
}
