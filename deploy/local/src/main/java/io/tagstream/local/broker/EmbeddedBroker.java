/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kafka broker (KRaft, broker and controller in one node) inside this JVM. It is a real broker, with transactions,
 * groups and compaction. Its data stays in its directory, and a later start continues from there.
 *
 * <p>It is meant for one laptop: replication factor 1, one partition for each of Kafka's own topics, small buffers and
 * segments, no automatic creation of topics. It needs about 4 s to start and 100 MB of memory.
 *
 * <p><b>Threading notes.</b> The broker runs on its own threads, which {@link #close} ends. {@code start} and {@code
 * close} block; {@code close} may be called from any thread and more than once. The directory is locked against other
 * processes, and against another broker in this one, from {@code start} to the end of {@code close}.
 */
public final class EmbeddedBroker implements AutoCloseable {
    private static final int NODE_ID = 1;
    private static final int START_ATTEMPTS = 3;

    /** A file that exists from an orderly shutdown to the next start. */
    private static final String STOPPED = "broker.stopped";

    private static final Logger log = LoggerFactory.getLogger(EmbeddedBroker.class);
    private static final long LEAST_ROOM = 1 << 20;

    private final Path directory;
    private final DirectoryLock lock;
    private final KafkaRaftServer server;
    private final String bootstrapServers;
    private boolean closed;

    private EmbeddedBroker(Path directory, DirectoryLock lock, KafkaRaftServer server, int port) {
        this.directory = directory;
        this.lock = lock;
        this.server = server;
        this.bootstrapServers = LoopbackPort.HOST + ":" + port;
    }

    /**
     * Starts a broker and returns when it accepts requests.
     *
     * @param directory where the data is kept; created if missing
     * @param port port in [1, 65535] for clients, or 0 for any free one
     * @return the running broker
     * @throws BindException when the port is in use
     * @throws IOException when the directory is in use by another broker or cannot be written, when its disk is full, or
     *     when the broker does not start; the message says which and what to change
     */
    public static EmbeddedBroker start(Path directory, int port) throws IOException {
        Path data = directory.toAbsolutePath().normalize();
        if (Files.isDirectory(data) && isFull(data)) {
            throw new IOException(
                    "The disk of data directory " + data + " is full: free some room, or choose another directory");
        }
        DirectoryLock lock = DirectoryLock.acquire(data);
        try {
            int clientPort = LoopbackPort.resolve(port, "Kafka broker");
            if (!isFormatted(data)) {
                format(data);
            } else if (!Files.deleteIfExists(data.resolve(STOPPED))) {
                StaleRegistration.remove(settings(data, clientPort, clientPort), NODE_ID);
            }
            sayWhyBeforeHalt(data);
            return new EmbeddedBroker(data, lock, startServer(data, clientPort), clientPort);
        } catch (IOException | RuntimeException | Error failed) {
            lock.close();
            throw failed;
        }
    }

    /**
     * Where clients connect.
     *
     * @return {@code host:port}
     */
    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** Stops the broker after it has written its data. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            server.shutdown();
            server.awaitShutdown();
            Files.createFile(directory.resolve(STOPPED));
        } catch (IOException unmarked) {
            throw new UncheckedIOException("Cannot mark the broker in " + directory + " as stopped", unmarked);
        } finally {
            lock.close();
        }
    }

    /** A broker that cannot write ends the process at once: going on could lose records that it has confirmed. */
    private static void sayWhyBeforeHalt(Path directory) {
        Exit.setHaltProcedure((code, message) -> {
            String reason = isFull(directory)
                    ? "the disk of data directory %s is full: free some room".formatted(directory)
                    : "the errors above say why: mend what they name";
            log.error("Kafka has ended the process; {}, then start again. Nothing that was stored is lost.", reason);
            Runtime.getRuntime().halt(code);
        });
    }

    private static boolean isFull(Path directory) {
        return directory.toFile().getUsableSpace() < LEAST_ROOM;
    }

    private static boolean isFormatted(Path directory) {
        return Files.exists(directory.resolve("meta.properties"));
    }

    private static void format(Path directory) throws IOException {
        Formatter formatter = new Formatter()
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                .setNodeId(NODE_ID)
                .setClusterId(Uuid.randomUuid().toString())
                .setControllerListenerName("CONTROLLER")
                .setMetadataLogDirectory(directory.toString());
        formatter.addDirectory(directory.toString());
        try {
            formatter.run();
        } catch (Exception failed) { // the formatter declares no narrower exception
            throw new IOException("Cannot prepare " + directory + " for a broker: " + failed.getMessage(), failed);
        }
    }

    private static KafkaRaftServer startServer(Path directory, int port) throws IOException {
        for (int attempt = 1; ; attempt++) {
            // The controller needs its own port, known before it is bound: another process may take it first.
            int controllerPort = LoopbackPort.freeBut(port, "Kafka controller");
            KafkaRaftServer server = null;
            try {
                server = new KafkaRaftServer(
                        new KafkaConfig(settings(directory, port, controllerPort), false), Time.SYSTEM);
                server.startup();
                return server;
            } catch (RuntimeException failed) {
                if (server != null) {
                    server.shutdown();
                    server.awaitShutdown();
                }
                LoopbackPort.resolve(port, "Kafka broker");
                if (attempt == START_ATTEMPTS || !isTaken(controllerPort)) {
                    throw new IOException(
                            "The Kafka broker does not start in " + directory + ": " + rootMessage(failed), failed);
                }
            }
        }
    }

    private static boolean isTaken(int port) throws IOException {
        try {
            LoopbackPort.resolve(port, "Kafka controller");
            return false;
        } catch (BindException taken) {
            return true;
        }
    }

    private static String rootMessage(Throwable failed) {
        Throwable root = failed;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.toString();
    }

    private static Map<String, String> settings(Path directory, int port, int controllerPort) {
        Map<String, Object> settings = new HashMap<>();
        String clients = "PLAINTEXT://" + LoopbackPort.HOST + ":" + port;
        settings.put("node.id", NODE_ID);
        settings.put("process.roles", "broker,controller");
        settings.put("controller.quorum.voters", NODE_ID + "@" + LoopbackPort.HOST + ":" + controllerPort);
        settings.put("listeners", clients + ",CONTROLLER://" + LoopbackPort.HOST + ":" + controllerPort);
        settings.put("advertised.listeners", clients);
        settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("inter.broker.listener.name", "PLAINTEXT");
        settings.put("log.dirs", directory);
        settings.put("server.max.startup.time.ms", 60_000);

        settings.put("default.replication.factor", 1);
        settings.put("min.insync.replicas", 1);
        for (String topic : new String[] {"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"}) {
            settings.put(topic + ".num.partitions", 1);
            settings.put(topic + ".replication.factor", 1);
            settings.put(topic + ".segment.bytes", 8 << 20);
        }
        settings.put("transaction.state.log.min.isr", 1);
        // A producer's next transaction starts while the end of the previous one is still being written to its
        // partitions. By default, the broker makes a request wait 100 ms for that and then refuses it, but the first
        // end can take longer. Requests that follow immediately then come too early, and each logs an error.
        settings.put("add.partitions.to.txn.retry.backoff.max.ms", 10_000);
        // No other broker takes over from a stalled one, so losing its partitions for a moment has only drawbacks.
        settings.put("broker.session.timeout.ms", (int) Duration.ofDays(1).toMillis());
        settings.put("share.coordinator.state.topic.min.isr", 1);
        settings.put("auto.create.topics.enable", false);
        settings.put("num.partitions", 1);
        settings.put("group.initial.rebalance.delay.ms", 0); // there are no other consumers to wait for

        // Only closed segments are compacted, so small topics need small segments that close early.
        settings.put("log.segment.bytes", 64 << 20);
        settings.put("log.roll.ms", 10 * 60_000);
        settings.put("log.index.size.max.bytes", 1 << 20);
        settings.put("log.cleaner.dedupe.buffer.size", 4 << 20); // 128 MB of heap otherwise
        settings.put("metadata.max.idle.interval.ms", 5_000); // otherwise the idle metadata log grows by 15 MB a day
        settings.put("num.network.threads", 2);
        settings.put("num.io.threads", 4);
        settings.put("background.threads", 2);
        Map<String, String> texts = new HashMap<>();
        settings.forEach((key, value) -> texts.put(key, value.toString()));
        return texts;
    }
}
