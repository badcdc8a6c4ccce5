/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Stands between the instances and the schema registry, and can spoil its answers.
 *
 * <p><i>Threading notes.</i> Each request has its own thread; any thread may change the mood.
 */
final class RegistryProxy implements AutoCloseable {
    private static final int SLOWEST_MILLIS = 2_000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How requests are answered. */
    enum Mood {
        WELL,
        /** Answers take up to {@value #SLOWEST_MILLIS} ms. */
        SLOW,
        /** Every answer is a status that means something else, without the registry's own error code. */
        WRONG,
        /** Every answer is a page of something that is not a registry, with status 200. */
        NONSENSE
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String registryUrl;
    private volatile Mood mood = Mood.WELL;

    RegistryProxy(String registryUrl) throws IOException {
        this.registryUrl = registryUrl;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    void mood(Mood now) {
        mood = now;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            switch (mood) {
                case WELL -> forward(exchange);
                case SLOW -> {
                    Thread.sleep(ThreadLocalRandom.current().nextInt(SLOWEST_MILLIS));
                    forward(exchange);
                }
                case WRONG -> send(exchange, 404, "text/plain", "no such page".getBytes(StandardCharsets.UTF_8));
                case NONSENSE ->
                    send(exchange, 200, "text/html", "<html>Sign in</html>".getBytes(StandardCharsets.UTF_8));
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes the connection without an answer if the registry gives none. */
    private void forward(HttpExchange exchange) throws IOException, InterruptedException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(registryUrl + exchange.getRequestURI()))
                .timeout(PATIENCE)
                .method(
                        exchange.getRequestMethod(),
                        body.length == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(body));
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        if (type != null) {
            request.header("Content-Type", type);
        }
        HttpResponse<byte[]> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        send(
                exchange,
                answer.statusCode(),
                answer.headers().firstValue("Content-Type").orElse("application/json"),
                answer.body());
    }

    private static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        server.stop(0);
    }
}
