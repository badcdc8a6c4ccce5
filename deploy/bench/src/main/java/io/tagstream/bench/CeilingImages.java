/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.sun.net.httpserver.HttpServer;
import io.tagstream.cluster.OperatorException;
import io.tagstream.local.folders.NamedImage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** The images of {@link CeilingBenchmark}, from each kind of place; close it to end the HTTP server. */
final class CeilingImages implements AutoCloseable {
    /** Where images come from. */
    enum Place {
        /** Inside the reference, as a tiny BMP: the least that an image can cost. */
        MEMORY,
        FILES,
        HTTP;

        static String names() {
            return Arrays.stream(values()).map(Place::toString).collect(Collectors.joining(", "));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int IN_MEMORY = 64;
    private static final int SIDE = 8;
    private static final int HEADER_BYTES = 54;
    private static final int SERVER_THREADS = 8;
    private static final int HTTP_OK = 200;

    private final List<NamedImage> files;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(SERVER_THREADS);

    /** Serves the given files. */
    CeilingImages(List<NamedImage> files) {
        this.files = files;
        try {
            this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            for (int i = 0; i < files.size(); i++) {
                byte[] bytes = Files.readAllBytes(files.get(i).file().orElseThrow());
                server.createContext("/" + i + "/", exchange -> {
                    exchange.sendResponseHeaders(HTTP_OK, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
            }
        } catch (IOException e) {
            threads.shutdownNow();
            throw OperatorException.failed("the images cannot be served: " + e.getMessage(), e);
        }
        server.setExecutor(threads);
        server.start();
    }

    List<NamedImage> of(Place place) {
        return switch (place) {
            case MEMORY -> inMemory();
            case FILES -> files;
            case HTTP -> overHttp();
        };
    }

    private List<NamedImage> overHttp() {
        List<NamedImage> images = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            String uri = "http://%s:%d/%d/"
                    .formatted(
                            server.getAddress().getAddress().getHostAddress(),
                            server.getAddress().getPort(),
                            i);
            images.add(new NamedImage(files.get(i).id(), URI.create(uri), Optional.empty()));
        }
        return images;
    }

    private static List<NamedImage> inMemory() {
        List<NamedImage> images = new ArrayList<>();
        for (int i = 0; i < IN_MEMORY; i++) {
            String uri = "data:image/bmp;base64," + Base64.getEncoder().encodeToString(bitmap(i));
            images.add(new NamedImage("memory-" + i, URI.create(uri), Optional.empty()));
        }
        return images;
    }

    /** A bitmap of random pixels. */
    private static byte[] bitmap(int seed) {
        byte[] pixels = new byte[SIDE * SIDE * 3];
        new Random(seed).nextBytes(pixels);
        return ByteBuffer.allocate(HEADER_BYTES + pixels.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {'B', 'M'})
                .putInt(HEADER_BYTES + pixels.length)
                .putInt(0)
                .putInt(HEADER_BYTES)
                .putInt(40) // the size of what follows
                .putInt(SIDE)
                .putInt(SIDE)
                .putShort((short) 1)
                .putShort((short) 24)
                .putInt(0)
                .putInt(pixels.length)
                .put(new byte[16])
                .put(pixels)
                .array();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
