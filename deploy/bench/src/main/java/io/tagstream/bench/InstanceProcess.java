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

/** A {@link SlowedInstance}: what it takes of the machine is its own. Used by one thread. */
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
     * @param slowdown how many times its time the model takes
     * @param heapMib its largest heap
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
            throw OperatorException.failed("no instance can be started: " + e.getMessage(), e);
        }
    }

    /** Waits until it tags images. */
    void awaitReady() {
        port = (int) number();
    }

    long pid() {
        return process.pid();
    }

    /** Where it serves its metrics. */
    int port() {
        return port;
    }

    /** Processor time since it began, in nanoseconds; 0 where the system does not tell. */
    long cpuNanos() {
        return process.info().totalCpuDuration().map(time -> time.toNanos()).orElse(0L);
    }

    /** What is in use of its heap after a collection, in bytes. */
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

    /** Stops it in order. */
    @Override
    public void close() throws InterruptedException {
        try (BufferedReader closed = output) {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroy(); // it cannot be told otherwise
        }
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
    }
}
