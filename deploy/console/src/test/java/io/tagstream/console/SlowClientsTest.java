/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.operations.http.SlowClients;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Slow clients must not take capacity from others. */
class SlowClientsTest {
    private static final int CLIENTS = 400;
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /api/session HTTP/1.1\r\nHost: localhost\r\nX-Tagstream: 1\r\nContent-Length: 1000\r\n\r\n{",
                "PUT /api/labels/heron HTTP/1.1\r\nHost: localhost\r\nX-Tagstream: 1\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
                "GET /api/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
            })
    void shouldAnswerEverybodyElseWhile400RequestsAreSlow(String beginning) throws Exception {
        try (ConsoleFixture console = new ConsoleFixture(directory, Map.of(), Optional.empty());
                SlowClients slow = new SlowClients(console.port())) {
            for (int client = 0; client < CLIENTS; client++) {
                slow.begin(beginning);
            }
            for (String path : List.of(
                    "/health/live",
                    "/health/ready",
                    "/metrics",
                    "/",
                    "/console/app.js",
                    "/api/session",
                    "/api/status")) {
                HttpResponse<String> answer = console.send(console.request(path).timeout(DEADLINE));
                assertThat(answer.statusCode()).as(path).isEqualTo(200);
            }
            assertThat(console.send(console.write("PUT", "/api/labels/heron", "{}")
                                    .timeout(DEADLINE))
                            .statusCode())
                    .as("a write")
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldSayThatAnUploadIsLateOrTooLarge() throws Exception {
        String head = "POST /api/images HTTP/1.1\r\nHost: localhost\r\nX-Tagstream: 1\r\n"
                + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ";
        try (ConsoleFixture console = new ConsoleFixture(
                        directory, Map.of(), Optional.empty(), Optional.of(directory.resolve("uploads")));
                SlowClients slow = new SlowClients(console.port())) {
            assertThat(SlowClients.answer(slow.begin(head + "1000000\r\n\r\n" + SlowClients.PART)))
                    .startsWith("HTTP/1.1 408 ")
                    .contains("application/problem+json", "bytes per second");
            assertThat(SlowClients.answer(slow.begin(head + "300000000\r\n\r\n" + SlowClients.PART)))
                    .startsWith("HTTP/1.1 413 ")
                    .contains("application/problem+json", "268,435,456 bytes");
            assertThat(console.get("/metrics").body())
                    .contains("tagstream_http_refused_requests_total{reason=\"late\"} 1.0")
                    .contains("tagstream_http_refused_requests_total{reason=\"large\"} 1.0");
        }
    }

    @Test
    void shouldSayThatAnUploadCannotBeRead() throws Exception {
        try (ConsoleFixture console =
                new ConsoleFixture(directory, Map.of(), Optional.empty(), Optional.of(directory.resolve("uploads")))) {
            HttpResponse<String> answer = console.send(console.request("/api/images")
                    .header("X-Tagstream", "1")
                    .header("Content-Type", "multipart/form-data; boundary=x")
                    .POST(HttpRequest.BodyPublishers.ofString("--xyz")));
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).contains("the body cannot be read: ");
        }
    }
}
