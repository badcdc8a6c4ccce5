/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The processor time of a Java process's threads, by name, in nanoseconds, as its thread dump says: Java's own threads,
 * the compilers' and the collector's, but not those that a library makes.
 */
record ThreadTimes(Map<String, Long> nanosByName) {
    private static final Pattern THREAD = Pattern.compile("^\"(.+)\" .*\\bcpu=([\\d.]+)ms ");
    private static final String LAST_LINE = "JNI global ref";
    private static final double NANOS_PER_MILLI = 1e6;
    private static final long PATIENCE_SECONDS = 30;
    private static final long CHECK_MILLIS = 10;

    /**
     * Asks a process for a thread dump.
     *
     * @param output where its standard output goes
     */
    static ThreadTimes of(ProcessHandle process, Path output) throws InterruptedException {
        long dumps = dumps(lines(output));
        try {
            new ProcessBuilder("kill", "-QUIT", String.valueOf(process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw OperatorException.failed("a thread dump needs the command kill: " + e.getMessage(), e);
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        List<String> lines = lines(output);
        while (dumps(lines) == dumps) {
            if (System.nanoTime() > deadline) {
                throw OperatorException.failed("the instance gave no thread dump in " + PATIENCE_SECONDS + " s");
            }
            Thread.sleep(CHECK_MILLIS);
            lines = lines(output);
        }
        return of(lines);
    }

    /** The times in the last dump of an output. */
    static ThreadTimes of(List<String> lines) {
        Map<String, Long> times = new HashMap<>();
        boolean ended = false;
        for (String line : lines) {
            Matcher thread = THREAD.matcher(line);
            if (thread.find()) {
                if (ended) {
                    times.clear();
                    ended = false;
                }
                times.merge(thread.group(1), (long) (Double.parseDouble(thread.group(2)) * NANOS_PER_MILLI), Long::sum);
            }
            ended |= line.startsWith(LAST_LINE);
        }
        return new ThreadTimes(times);
    }

    private static long dumps(List<String> lines) {
        return lines.stream().filter(line -> line.startsWith(LAST_LINE)).count();
    }

    private static List<String> lines(Path output) {
        try {
            return Files.readString(output, StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw OperatorException.failed("%s cannot be read: %s".formatted(output, e), e);
        }
    }

    /** What was added since an earlier moment, by the threads that are still there. */
    ThreadTimes since(ThreadTimes before) {
        Map<String, Long> growth = new HashMap<>();
        nanosByName.forEach((name, nanos) ->
                growth.put(name, Math.max(0, nanos - before.nanosByName.getOrDefault(name, 0L))));
        return new ThreadTimes(growth);
    }
}
