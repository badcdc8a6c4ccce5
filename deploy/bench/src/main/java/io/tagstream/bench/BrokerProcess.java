/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import io.tagstream.model.Telemetry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@link BrokerMain} in its own process. Used by one thread. */
final class BrokerProcess implements AutoCloseable {
    private final Process process;
    private final String bootstrapServers;
    private final String registryUrl;

    private BrokerProcess(Process process) throws IOException {
        this.process = process;
        BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        this.bootstrapServers = output.readLine();
        this.registryUrl = output.readLine();
    }

    /** Starts it, and waits until it runs. */
    static BrokerProcess start(Path directory) {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-XX:+UseSerialGC",
                        "-Dlogback.configurationFile=" + System.getProperty("logback.configurationFile", "logback.xml"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        BrokerMain.class.getName(),
                        directory.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        Telemetry.disable(builder.environment());
        try {
            BrokerProcess started = new BrokerProcess(builder.start());
            if (started.registryUrl == null) {
                throw OperatorException.failed("the broker has stopped; see its errors above");
            }
            return started;
        } catch (IOException e) {
            throw OperatorException.failed("the broker cannot be started: " + e.getMessage(), e);
        }
    }

    String bootstrapServers() {
        return bootstrapServers;
    }

    String registryUrl() {
        return registryUrl;
    }

    /** Processor time since it started, in nanoseconds; 0 if the system does not report it. */
    long cpuNanos() {
        return ProcessUsage.cpuNanos(process.toHandle());
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
    }
}
