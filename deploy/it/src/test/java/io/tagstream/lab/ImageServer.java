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
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Serves the images that their URIs describe ({@link Expectation}), as well as its mood allows.
 *
 * <p><i>Threading notes.</i> Each request has its own thread; any thread may change the mood.
 */
final class ImageServer implements AutoCloseable {
    private static final int SLOWEST_MILLIS = 1_000;

    /** How requests are served. */
    enum Mood {
        WELL,
        /** Answers take up to {@value #SLOWEST_MILLIS} ms. */
        SLOW,
        /** Every request is answered with 503. */
        REFUSING,
        /** Connections are closed without an answer. */
        DROPPING,
        /** No request is answered, until the mood changes. */
        HANGING
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** Guarded by this. */
    private Mood mood = Mood.WELL;

    /** Guarded by this. */
    private boolean failed;

    ImageServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /** The prefix of its URIs. */
    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    synchronized void mood(Mood now) {
        mood = now;
        failed |= now != Mood.WELL;
        notifyAll();
    }

    /** Whether it ever had a mood other than {@link Mood#WELL}. */
    synchronized boolean hasFailed() {
        return failed;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Mood met = meetMood();
            String path = exchange.getRequestURI().getPath();
            if (met == Mood.DROPPING) {
                return; // closing an exchange without an answer closes its connection
            }
            if (met == Mood.REFUSING) {
                exchange.sendResponseHeaders(503, -1);
            } else if (path.startsWith(Expectation.WORDS_PATH)) {
                byte[] image = path.substring(Expectation.WORDS_PATH.length()).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, image.length);
                exchange.getResponseBody().write(image);
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    private Mood meetMood() throws InterruptedException {
        Mood met;
        synchronized (this) {
            while (mood == Mood.HANGING) {
                wait();
            }
            met = mood;
        }
        if (met == Mood.SLOW) {
            Thread.sleep(ThreadLocalRandom.current().nextInt(SLOWEST_MILLIS));
        }
        return met;
    }

    @Override
    public void close() {
        threads.shutdownNow();
        server.stop(0);
    }
}
