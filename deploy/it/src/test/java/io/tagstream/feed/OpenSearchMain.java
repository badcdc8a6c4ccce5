/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.commons.io.FileUtils;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * A real OpenSearch node in a separate process, for tests and for trying out the feed: a single node, on loopback
 * unless it is told otherwise, without any security. {@code deploy/opensearch} starts it.
 */
public final class OpenSearchMain {
    private OpenSearchMain() {}

    /**
     * The arguments are the port (0 for any free port), the data directory and the address to listen on. Without a data
     * directory, it uses one that it deletes at the end.
     */
    public static void main(String[] arguments) throws Exception {
        boolean kept = arguments.length > 1;
        Path directory = kept
                ? Files.createDirectories(Path.of(arguments[1])).toAbsolutePath()
                : Files.createTempDirectory("tagstream-opensearch-");
        String address = arguments.length > 2 ? arguments[2] : "127.0.0.1";
        try (Node node = new OneNode(settings(directory, Integer.parseInt(arguments[0]), address))) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node, directory, kept)));
            node.start();
            System.out.println("OpenSearch listens on http://"
                    + node.injector()
                            .getInstance(HttpServerTransport.class)
                            .boundAddress()
                            .publishAddress());
            new CountDownLatch(1).await();
        }
    }

    private static void close(Node node, Path directory, boolean kept) {
        try {
            node.close();
            if (!kept) {
                FileUtils.deleteDirectory(directory.toFile());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Settings settings(Path directory, int port, String address) {
        return Settings.builder()
                .put("path.home", directory)
                .put("cluster.name", "tagstream")
                .put("node.name", "node-1")
                .put("network.host", address)
                .put("http.port", port)
                .put("transport.port", 0)
                .put("http.type", "netty4")
                .put("transport.type", "netty4")
                .put("discovery.type", "single-node")
                // a single node has nowhere to put replicas, and a laptop's disk is often nearly full
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .put("node.processors", Runtime.getRuntime().availableProcessors())
                .build();
    }

    /** Makes the constructor that takes plugins from the class path accessible. */
    private static final class OneNode extends Node {
        OneNode(Settings settings) {
            super(
                    InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node-1"),
                    List.of(Netty4Plugin.class),
                    false);
        }
    }
}
