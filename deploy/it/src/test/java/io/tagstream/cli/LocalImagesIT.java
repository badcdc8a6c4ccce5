/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** One run over good and bad images, from files and over HTTP, and the outcome of each. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@InRun
class LocalImagesIT {
    private static final String HTML = "<!DOCTYPE html><html><body>Please sign in</body></html>";
    private static final String ODD_NAME = "H\u00fcndchen  \u72ac \ud83d\udc36,\n50% #1?\t\u001b[31m.jpg";

    /** Long enough for any server that answers at all, even on a busy machine. */
    private static final int PATIENCE_SECONDS = 10;

    private HttpServer server;
    /** The system accepts connections to it, but nothing ever answers. */
    private ServerSocket silent;

    private Run run;
    private Map<String, JsonNode> outcomes;

    @BeforeAll
    void tagEverything(@TempDir Path folder) throws Exception {
        byte[] photo = Files.readAllBytes(CommandProcess.SAMPLES.resolve("stream.jpg"));
        Files.write(folder.resolve("good.jpg"), photo);
        Files.write(folder.resolve("truncated.jpg"), Arrays.copyOf(photo, photo.length / 2));
        Files.write(folder.resolve("empty.jpg"), new byte[0]);
        Files.writeString(folder.resolve("page.jpg"), HTML);
        Files.writeString(folder.resolve("notes.txt"), "not an image, and not treated as one");
        HugePng.write(folder.resolve("huge.png"), 20_000, 10_000);
        Path inner = Files.createDirectories(folder.resolve("inner folder"));
        Files.copy(CommandProcess.SAMPLES.resolve("dogs.jpg"), inner.resolve(ODD_NAME));

        serve();
        silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        run = CommandProcess.run(
                "local",
                folder.toString(),
                inner.toString(),
                folder.resolve("good.jpg").toString(),
                url("/photo.jpg"),
                url("/photo.jpg"),
                url("/missing.jpg"),
                url("/page.jpg"),
                silentUrl(),
                "--once",
                "--json",
                "--set",
                "fetch.timeout.ms=" + PATIENCE_SECONDS * 1_000,
                "--set",
                "retry.max.attempts=1");
        outcomes = run.byImageId();
    }

    private void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] photo = Files.readAllBytes(CommandProcess.SAMPLES.resolve("cat.jpg"));
        Map<String, byte[]> bodies = Map.of("/photo.jpg", photo, "/page.jpg", HTML.getBytes(UTF_8));
        server.createContext("/", exchange -> {
            byte[] body = bodies.get(exchange.getRequestURI().getPath());
            exchange.getResponseHeaders().set("Content-Type", "image/jpeg");
            if (body == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        server.start();
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    private String silentUrl() {
        return "http://127.0.0.1:" + silent.getLocalPort() + "/photo.jpg";
    }

    @AfterAll
    void stop() throws IOException {
        if (server != null) {
            server.stop(0);
        }
        if (silent != null) {
            silent.close();
        }
    }

    @Test
    void shouldGiveEveryImageOneOutcome() {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(outcomes.keySet())
                .containsExactlyInAnyOrder(
                        "good.jpg",
                        "truncated.jpg",
                        "empty.jpg",
                        "page.jpg",
                        "huge.png",
                        "inner folder/" + ODD_NAME,
                        url("/photo.jpg"),
                        url("/missing.jpg"),
                        url("/page.jpg"),
                        silentUrl());
        assertThat(run.errors()).contains("3 images tagged, 7 failed");
    }

    @Test
    void shouldTagWhatIsGood() {
        assertTagged("good.jpg", "forest");
        assertThat(outcomes.get("good.jpg").path("width").asInt()).isPositive();
        assertThat(outcomes.get("good.jpg").path("model").asText()).startsWith("everyday@");
        assertTagged(url("/photo.jpg"), "cat");
    }

    @Test
    void shouldTakeAnyName() {
        assertTagged("inner folder/" + ODD_NAME, "dog");
        assertThat(outcomes.get("inner folder/" + ODD_NAME).path("uri").asText())
                .startsWith("file:///")
                .endsWith(
                        "/inner%20folder/H%C3%BCndchen%20%20%E7%8A%AC%20%F0%9F%90%B6,%0A50%25%20%231%3F%09%1B%5B31m.jpg");
    }

    @Test
    void shouldSayWhatIsWrongWithFiles() {
        assertFailed("truncated.jpg", "CORRUPT_IMAGE", "truncated");
        assertFailed("empty.jpg", "UNSUPPORTED_FORMAT", "0 bytes");
        assertFailed("page.jpg", "UNSUPPORTED_FORMAT", "HTML", "submit JPEG, PNG");
        assertFailed(
                "huge.png",
                "TOO_MANY_PIXELS",
                "20000 x 10000 = 200000000 pixels",
                "100000000 allowed",
                "submit a smaller image or raise decode.max.pixels");
    }

    @Test
    void shouldSayWhatIsWrongWithUrls() {
        assertFailed(url("/missing.jpg"), "FETCH_NOT_FOUND", url("/missing.jpg"), "HTTP 404", "check the address");
        assertFailed(url("/page.jpg"), "UNSUPPORTED_FORMAT", "Please sign in", "error or login page");
        assertFailed(
                silentUrl(),
                "FETCH_TIMEOUT",
                silentUrl(),
                "within %d s".formatted(PATIENCE_SECONDS),
                "raise fetch.timeout.ms");
    }

    private void assertTagged(String imageId, String label) {
        assertThat(outcomes.get(imageId).path("tags"))
                .extracting(tag -> tag.path("labelId").asText())
                .contains(label);
    }

    private void assertFailed(String imageId, String reason, String... message) {
        assertThat(outcomes.get(imageId).at("/failure/reason").asText()).isEqualTo(reason);
        assertThat(outcomes.get(imageId).at("/failure/message").asText()).contains(message);
    }
}
