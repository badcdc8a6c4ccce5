/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The broker and the schema registry, on the same ports and data directory however often they die.
 *
 * <p><i>Threading notes.</i> The round's thread and {@link Spells} switch the registry; this object is the lock.
 */
final class BrokerProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path directory;
    private final int port = freePort();
    private final int registryPort = freePort();
    private volatile ChildProcess process;

    BrokerProcess(Path directory) throws IOException {
        this.directory = directory;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    String registryUrl() {
        return "http://127.0.0.1:" + registryPort;
    }

    /** Starts both, and waits until they answer. */
    synchronized void start() throws IOException, InterruptedException {
        process = ChildProcess.start(
                "broker",
                BrokerMain.class,
                List.of("-Xmx384m"),
                List.of(directory.resolve("broker").toString(), Integer.toString(port), Integer.toString(registryPort)),
                directory.resolve("broker.log"));
        if (!process.await(BrokerMain.STARTED, PATIENCE)) {
            throw new IOException("The broker did not start; see " + directory.resolve("broker.log"));
        }
        registry(true);
    }

    /** Starts or stops the registry. */
    synchronized void registry(boolean on) throws IOException, InterruptedException {
        String command = on ? BrokerMain.REGISTRY_ON : BrokerMain.REGISTRY_OFF;
        if (!process.command(command, PATIENCE)) {
            throw new IOException(
                    "The broker's process did not carry out '" + command + "'; see " + directory.resolve("broker.log"));
        }
    }

    /** Kills both with {@code kill -9}, and starts both again after a delay. */
    synchronized void restart(Duration after) throws IOException, InterruptedException {
        process.kill();
        Thread.sleep(after.toMillis());
        start();
    }

    void freeze() throws IOException, InterruptedException {
        process.freeze();
    }

    void thaw() throws IOException, InterruptedException {
        process.thaw();
    }

    @Override
    public void close() throws InterruptedException {
        if (process != null) {
            process.close();
        }
    }
}
