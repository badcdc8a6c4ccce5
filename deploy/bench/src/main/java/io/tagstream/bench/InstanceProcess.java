/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import io.tagstream.model.Telemetry;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A {@link SlowedInstance} in its own process, so that its resource use can be measured separately. Used by one thread.
 */
final class InstanceProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private int port;

    private InstanceProcess(Process process) {
        this.process = process;
        this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Starts it.
     *
     * @param slowdown how many times longer the model takes
     * @param heapMib its maximum heap, in MiB
     */
    static InstanceProcess start(TagstreamConfig config, int slowdown, int heapMib) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMib + "m",
                "-XX:+UseSerialGC",
                "-Dlogback.configurationFile=" + System.getProperty("logback.configurationFile", "logback.xml"),
                "-cp",
                System.getProperty("java.class.path"),
                SlowedInstance.class.getName(),
                String.valueOf(slowdown)));
        config.originals().forEach((key, value) -> command.add(key + "=" + value));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        Telemetry.disable(builder.environment());
        try {
            return new InstanceProcess(builder.start());
        } catch (IOException e) {
            throw OperatorException.failed("the instance cannot be started: " + e.getMessage(), e);
        }
    }

    /** Waits until it tags images. */
    void awaitReady() {
        port = (int) number();
    }

    long pid() {
        return process.pid();
    }

    /** The port on which it serves its metrics. */
    int port() {
        return port;
    }

    /** Processor time since it started, in nanoseconds; 0 if the system does not report it. */
    long cpuNanos() {
        return process.info().totalCpuDuration().map(time -> time.toNanos()).orElse(0L);
    }

    /** The part of its heap in use after a collection, in bytes. */
    long liveHeap() {
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw stopped(e);
        }
        return number();
    }

    private long number() {
        try {
            String line = output.readLine();
            if (line == null) {
                throw stopped(null);
            }
            return Long.parseLong(line);
        } catch (IOException e) {
            throw stopped(e);
        }
    }

    private static OperatorException stopped(Exception cause) {
        return OperatorException.failed("the instance has stopped; see its errors above", cause);
    }

    /** Stops it cleanly. */
    @Override
    public void close() throws InterruptedException {
        try (BufferedReader closed = output) {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroy(); // there is no other way to tell it
        }
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
    }
}
