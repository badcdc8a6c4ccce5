/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import io.tagstream.local.broker.LoopbackPort;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.io.Writer;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * {@code tagstream run} as users start it: by the launcher, in its own process, with its defaults but for the given
 * settings. Used by one thread.
 */
final class ShippedInstance implements AutoCloseable {
    private static final Duration READY = Duration.ofMinutes(10);
    private static final long CHECK_MILLIS = 100;
    private static final int HTTP_OK = 200;
    /** How much of its log to show if it stops. */
    private static final int LAST_LINES = 20;

    private final Process process;
    private final int port;
    private final Path log;
    private final HttpClient client = HttpClient.newHttpClient();

    private ShippedInstance(Process process, int port, Path log) {
        this.process = process;
        this.port = port;
        this.log = log;
    }

    /**
     * Starts it.
     *
     * @param directory for its configuration and its log
     */
    static ShippedInstance start(TagstreamConfig config, Path directory) {
        Path file = directory.resolve("run.properties");
        Path log = directory.resolve("run.log");
        try {
            int port = LoopbackPort.resolve(0, "instance");
            Properties properties = new Properties();
            config.originals().forEach((key, value) -> properties.setProperty(key, String.valueOf(value)));
            properties.setProperty(TagstreamConfig.HTTP_PORT, String.valueOf(port));
            try (Writer writer = Files.newBufferedWriter(file)) {
                properties.store(writer, null);
            }
            Process process = new ProcessBuilder(launcher().toString(), "run", "--config", file.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            return new ShippedInstance(process, port, log);
        } catch (IOException e) {
            throw OperatorException.failed("tagstream run cannot be started: " + e.getMessage(), e);
        }
    }

    private static Path launcher() {
        Path home = Path.of(System.getProperty("tagstream.home", "."));
        return List.of(home.resolve("bin/tagstream"), home.resolve("tagstream")).stream()
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> OperatorException.failed("there is no launcher in " + home));
    }

    /** Waits until it tags images; returns early if {@code stopped}. */
    void awaitReady(BooleanSupplier stopped) throws InterruptedException {
        long deadline = System.nanoTime() + READY.toNanos();
        while (!isReady() && !stopped.getAsBoolean()) {
            if (!process.isAlive()) {
                throw OperatorException.failed("tagstream run has stopped:\n" + lastLines());
            }
            if (System.nanoTime() > deadline) {
                throw OperatorException.failed(
                        "tagstream run was not ready after %d s:%n%s".formatted(READY.toSeconds(), lastLines()));
            }
            Thread.sleep(CHECK_MILLIS);
        }
    }

    private boolean isReady() throws InterruptedException {
        try {
            return client.send(
                                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health/ready"))
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == HTTP_OK;
        } catch (ConnectException e) {
            return false; // it does not listen yet
        } catch (IOException e) {
            throw OperatorException.failed("tagstream run does not answer:\n" + lastLines(), e);
        }
    }

    private String lastLines() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (IOException e) {
            return "its log " + log + " cannot be read: " + e.getMessage();
        }
    }

    /** What it serves at {@code /metrics} now. */
    Scrape scrape() {
        try {
            return Scrape.of(client, port);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoppedException();
        }
    }

    /** Processor time since it started, decoders included, in nanoseconds; 0 if the system does not report it. */
    long cpuNanos() {
        return ProcessUsage.cpuNanos(process.toHandle());
    }

    /** The same without its decoders. */
    long javaCpuNanos() {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    /** The processor time of its threads, without its decoders. */
    ThreadTimes threadTimes() {
        try {
            return ThreadTimes.of(process.toHandle(), log);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoppedException();
        }
    }

    /** The sum of its processes' peak resident memory, in MiB; 0 if the system does not report it. */
    long peakResidentMib() {
        return ProcessUsage.family(process.toHandle())
                .mapToLong(each -> ProcessUsage.peakResidentMib(each.pid()).orElse(0))
                .sum();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
    }
}
