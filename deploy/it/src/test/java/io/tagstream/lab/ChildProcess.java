/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A forked JVM. It takes {@link Commands} on its standard input, whose end also tells it that this process has ended.
 * It reports its progress in lines that begin with {@value #ANNOUNCEMENT}. All its output goes to a file.
 *
 * <p>Output passes through this process, because a fault may limit the child's own files.
 *
 * <p><i>Threading notes.</i> A separate thread copies the output. Any thread may call any method.
 */
final class ChildProcess implements AutoCloseable {
    static final String ANNOUNCEMENT = "@ ";

    private final String name;
    private final Process process;
    private final BufferedWriter commands;
    private final List<String> announcements = new CopyOnWriteArrayList<>();
    private final AtomicInteger sent = new AtomicInteger();
    private final Thread copier;

    private ChildProcess(String name, Process process, Path output) {
        this.name = name;
        this.process = process;
        this.commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        this.copier = new Thread(() -> copy(output), "lab-output-of-" + name);
        copier.setDaemon(true);
        copier.start();
    }

    /**
     * Starts a JVM with this process's class path.
     *
     * @param name name to use in messages
     * @param output file to append its output to
     */
    static ChildProcess start(String name, Class<?> main, List<String> options, List<String> arguments, Path output)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Dlogback.configurationFile=laboratory-logback.xml",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new ChildProcess(name, process, output);
    }

    /** Called in the child: tells the parent. */
    static void announce(String what) {
        System.out.println(ANNOUNCEMENT + what);
        System.out.flush();
    }

    private void copy(Path output) {
        try (BufferedReader lines =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                Writer file = Files.newBufferedWriter(output, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            file.write("--- process " + process.pid() + "\n");
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                file.write(line + "\n");
                file.flush();
                if (line.startsWith(ANNOUNCEMENT)) {
                    announcements.add(line.substring(ANNOUNCEMENT.length()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot keep the output of " + name, e);
        }
    }

    String name() {
        return name;
    }

    /** Whether the child has announced this. */
    boolean hasSaid(String what) {
        return announcements.contains(what);
    }

    /** How often the child has announced this. */
    int timesSaid(String what) {
        return Collections.frequency(announcements, what);
    }

    /** The number that the child has announced after these words. */
    OptionalInt announcedNumber(String words) {
        return announcements.stream()
                .filter(announcement -> announcement.startsWith(words + " "))
                .mapToInt(announcement -> Integer.parseInt(announcement.substring(words.length() + 1)))
                .findFirst();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The exit code of a process that has ended. */
    int exitCode() {
        return process.exitValue();
    }

    /** Sends a command and waits until the child has followed it; false if the child ends first or time runs out. */
    boolean command(String command, Duration patience) throws InterruptedException {
        int number = sent.incrementAndGet();
        synchronized (commands) {
            try {
                commands.write(number + " " + command + "\n");
                commands.flush();
            } catch (IOException gone) {
                return false;
            }
        }
        return await(Commands.followed(number), patience);
    }

    /** Waits until the child announces this; false if the child ends first or time runs out. */
    boolean await(String what, Duration patience) throws InterruptedException {
        return Awaiting.that(patience, () -> hasSaid(what) || !process.isAlive()) && hasSaid(what);
    }

    /** Waits for the process to end; returns false if time runs out. */
    boolean awaitEnd(Duration patience) throws InterruptedException {
        return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Kills the process with {@code kill -9} and waits until it has ended. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Stops all of the process's threads (SIGSTOP), until {@link #thaw}. */
    void freeze() throws IOException, InterruptedException {
        Signals.send("STOP", process.pid());
    }

    /** Lets a frozen process continue (SIGCONT). */
    void thaw() throws IOException, InterruptedException {
        Signals.send("CONT", process.pid());
    }

    long processId() {
        return process.pid();
    }

    /** Ends the process, whatever state it is in. */
    @Override
    public void close() throws InterruptedException {
        kill();
        copier.join();
    }
}
