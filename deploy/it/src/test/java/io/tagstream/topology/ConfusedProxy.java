/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A proxy in front of a schema registry. It answers requests for IDs with 200 and nonsense until it has used up all the
 * nonsense that it was given, and passes everything else on.
 *
 * <p><b>Threading notes.</b> One thread of the server answers; any thread may call {@link #left}.
 */
final class ConfusedProxy implements AutoCloseable {
    private final HttpClient client = HttpClient.newHttpClient();
    private final String registryUrl;
    private final Queue<String> nonsense;
    private final HttpServer server;

    private ConfusedProxy(String registryUrl, Queue<String> nonsense, HttpServer server) {
        this.registryUrl = registryUrl;
        this.nonsense = nonsense;
        this.server = server;
    }

    static ConfusedProxy start(String registryUrl, Queue<String> nonsense) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ConfusedProxy proxy = new ConfusedProxy(registryUrl, new ConcurrentLinkedQueue<>(nonsense), server);
        server.createContext("/", proxy::answer);
        server.start();
        return proxy;
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** How many nonsense answers are left. */
    int left() {
        return nonsense.size();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String told = exchange.getRequestURI().getPath().startsWith("/schemas/ids/") ? nonsense.poll() : null;
            if (told == null) {
                HttpResponse<byte[]> answer = ask(exchange);
                send(exchange, answer.statusCode(), answer.body());
            } else {
                send(exchange, 200, told.getBytes(UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpResponse<byte[]> ask(HttpExchange exchange) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(registryUrl + exchange.getRequestURI()))
                .method(
                        exchange.getRequestMethod(),
                        BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
        String contentType = exchange.getRequestHeaders().getFirst("Content-Type");
        if (contentType != null) {
            request.header("Content-Type", contentType);
        }
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
