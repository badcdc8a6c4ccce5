/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.index;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * A real OpenSearch node in a process of its own, for tests and for trying the feed out: one node, on loopback alone,
 * without any security. {@code deploy/opensearch} starts it.
 */
public final class OpenSearchMain {
    /** What it says on standard output once it takes requests, before its address. */
    static final String LISTENING = "OpenSearch listens on ";

    private OpenSearchMain() {}

    /** Arguments are the data directory and the port; 0: any free one. */
    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createDirectories(Path.of(arguments[0])).toAbsolutePath();
        try (Node node = new OneNode(settings(directory, Integer.parseInt(arguments[1])))) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
            node.start();
            System.out.println(LISTENING + "http://"
                    + node.injector()
                            .getInstance(HttpServerTransport.class)
                            .boundAddress()
                            .publishAddress());
            new CountDownLatch(1).await();
        }
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Settings settings(Path directory, int port) {
        return Settings.builder()
                .put("path.home", directory)
                .put("cluster.name", "tagstream")
                .put("node.name", "node-1")
                .put("network.host", "127.0.0.1")
                .put("http.port", port)
                .put("transport.port", 0)
                .put("http.type", "netty4")
                .put("transport.type", "netty4")
                .put("discovery.type", "single-node")
                // one node has nowhere to put replicas, and a laptop's disk is often nearly full
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .put("node.processors", Runtime.getRuntime().availableProcessors())
                .build();
    }

    /** Opens the constructor that takes plugins from the class path. */
    private static final class OneNode extends Node {
        OneNode(Settings settings) {
            super(
                    InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node-1"),
                    List.of(Netty4Plugin.class),
                    false);
        }
    }
}
