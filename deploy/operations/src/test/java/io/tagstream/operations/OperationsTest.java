/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.waits.TaggingHealth;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class OperationsTest {
    private final AtomicReference<Optional<String>> stopped = new AtomicReference<>(Optional.empty());
    private final AtomicReference<Optional<String>> notReady = new AtomicReference<>(Optional.of("starting"));

    @Test
    void shouldSpeakOpenMetricsToWhoAsksForIt() throws Exception {
        try (Operations operations = new Operations(config(0), stopped::get, notReady::get)) {
            HttpResponse<String> page = get(operations, "/metrics", "application/openmetrics-text;version=1.0.0");
            assertThat(page.headers().firstValue("Content-Type").orElseThrow())
                    .startsWith("application/openmetrics-text");
            assertThat(page.body()).endsWith("# EOF\n");
        }
    }

    @Test
    void shouldTellWhetherImagesWaitIfItTagsThem() throws Exception {
        AtomicReference<TaggingHealth> tagging = new AtomicReference<>(TaggingHealth.well("idle"));
        try (Operations operations =
                new Operations(config(0), stopped::get, notReady::get, Optional.of(tagging::get), Optional.empty())) {
            HttpResponse<String> idle = get(operations, "/health/tagging", "*/*");
            assertThat(idle.statusCode()).isEqualTo(200);
            assertThat(idle.body()).isEqualTo("idle\n");

            assertThat(get(operations, "/health/copies", "*/*").body()).isEqualTo("starting\n");
            operations.copies(() -> TaggingHealth.well("2 copies are complete"));
            HttpResponse<String> copies = get(operations, "/health/copies", "*/*");
            assertThat(copies.statusCode()).isEqualTo(200);
            assertThat(copies.body()).isEqualTo("2 copies are complete\n");

            tagging.set(TaggingHealth.waiting("images of partition 0 of images have waited for 75 s"));
            HttpResponse<String> waiting = get(operations, "/health/tagging", "*/*");
            assertThat(waiting.statusCode()).isEqualTo(503);
            assertThat(waiting.body()).isEqualTo("images of partition 0 of images have waited for 75 s\n");
        }
        try (Operations operations = new Operations(config(0), stopped::get, notReady::get)) {
            assertThat(get(operations, "/health/tagging", "*/*").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void shouldTellHealthAndWhyNot() throws Exception {
        try (Operations operations = new Operations(config(0), stopped::get, notReady::get)) {
            assertThat(get(operations, "/health/live", "*/*").statusCode()).isEqualTo(200);
            HttpResponse<String> starting = get(operations, "/health/ready", "*/*");
            assertThat(starting.statusCode()).isEqualTo(503);
            assertThat(starting.body()).isEqualTo("starting\n");

            notReady.set(Optional.empty());
            assertThat(get(operations, "/health/ready", "*/*").body()).isEqualTo("ready\n");
            operations.remark(() -> Optional.of("there are no labels"));
            HttpResponse<String> ready = get(operations, "/health/ready", "*/*");
            assertThat(ready.statusCode()).isEqualTo(200);
            assertThat(ready.body()).isEqualTo("ready; there are no labels\n");

            stopped.set(Optional.of("a thread keeps failing"));
            HttpResponse<String> dead = get(operations, "/health/live", "*/*");
            assertThat(dead.statusCode()).isEqualTo(503);
            assertThat(dead.body()).isEqualTo("a thread keeps failing\n");
        }
    }

    @Test
    void shouldNotListenUnlessToldTo() {
        try (Operations operations = new Operations(new TagstreamConfig(settings()), stopped::get, notReady::get)) {
            assertThat(operations.port()).isEmpty();
            assertThat(operations.metrics().getRegistries()).isEmpty();
        }
    }

    @Test
    void shouldSayWhichPortIsTaken() {
        try (Operations first = new Operations(config(0), stopped::get, notReady::get)) {
            int port = first.port().orElseThrow();
            assertThatThrownBy(() -> new Operations(config(port), stopped::get, notReady::get))
                    .isInstanceOf(OperatorException.class)
                    .hasMessageContaining("127.0.0.1:" + port)
                    .hasMessageContaining("http.port");
        }
    }

    private static TagstreamConfig config(int port) {
        Map<String, Object> settings = settings();
        settings.put(TagstreamConfig.HTTP_PORT, port);
        return new TagstreamConfig(settings);
    }

    private static Map<String, Object> settings() {
        return new HashMap<>(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1"));
    }

    private static HttpResponse<String> get(Operations operations, String path, String accept) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + operations.port().orElseThrow() + path))
                .header("Accept", accept)
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
