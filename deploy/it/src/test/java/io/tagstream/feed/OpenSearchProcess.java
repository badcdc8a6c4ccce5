/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;

/** {@link OpenSearchMain} in a process that can be killed; a restart keeps the port and the data directory. */
public final class OpenSearchProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int PAGE = 1_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final int port = freePort();
    private final HttpClient client = HttpClient.newHttpClient();
    private Process process;

    /** {@code directory} holds the data and the log. */
    public OpenSearchProcess(Path directory) throws IOException {
        this.directory = directory;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Starts the node and waits until it accepts requests. */
    public OpenSearchProcess start() throws IOException {
        Path log = Files.createDirectories(directory).resolve("opensearch.log");
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx384m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        OpenSearchMain.class.getName(),
                        Integer.toString(port),
                        directory.resolve("data").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        Awaitility.await("OpenSearch, whose log is " + log).atMost(PATIENCE).until(this::answers);
        return this;
    }

    private boolean answers() throws InterruptedException {
        if (!process.isAlive()) {
            throw new IllegalStateException("OpenSearch has ended; see its log in " + directory);
        }
        try {
            HttpRequest health = HttpRequest.newBuilder(URI.create(url() + "/_cluster/health?wait_for_status=yellow"))
                    .build();
            return client.send(health, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /** Kills the node with {@code kill -9} and waits until it has ended. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Makes a request that must succeed. */
    public JsonNode request(String method, String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create(url() + path))
                        .header("Content-Type", "application/json")
                        .method(
                                method,
                                body == null
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IOException(method + " " + path + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** The sources of all documents that a search on an alias or index finds, by document ID. */
    public Map<String, JsonNode> documents(String index) throws IOException, InterruptedException {
        Map<String, JsonNode> documents = new TreeMap<>();
        hits(index).forEach((id, hit) -> documents.put(id, hit.path("_source")));
        return documents;
    }

    /** The hits for all documents, with their versions, by document ID. */
    public Map<String, JsonNode> hits(String index) throws IOException, InterruptedException {
        request("POST", "/" + index + "/_refresh", null);
        Map<String, JsonNode> hits = new TreeMap<>();
        JsonNode page = request(
                "POST",
                "/" + index + "/_search?scroll=1m",
                "{\"size\":%d,\"version\":true,\"sort\":[\"_doc\"]}".formatted(PAGE));
        while (!page.path("hits").path("hits").isEmpty()) {
            page.path("hits")
                    .path("hits")
                    .forEach(hit -> hits.put(hit.path("_id").asText(), hit));
            page = request(
                    "POST",
                    "/_search/scroll",
                    "{\"scroll\":\"1m\",\"scroll_id\":\"%s\"}"
                            .formatted(page.path("_scroll_id").asText()));
        }
        return hits;
    }

    /** Makes the node refuse requests longer than this with status 429; null lifts the limit. */
    public void refuseRequestsOver(String limit) throws IOException, InterruptedException {
        request(
                "PUT",
                "/_cluster/settings",
                "{\"transient\":{\"network.breaker.inflight_requests.limit\":%s}}"
                        .formatted(limit == null ? "null" : '"' + limit + '"'));
    }

    /** The indices that an alias points to. */
    public List<String> behind(String alias) throws IOException, InterruptedException {
        List<String> names = new ArrayList<>();
        request("GET", "/_alias/" + alias, null).fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Override
    public void close() throws InterruptedException {
        if (process != null) {
            kill();
        }
    }
}
