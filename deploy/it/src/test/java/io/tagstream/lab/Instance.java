/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * An instance, which outlives its processes: a name, a state directory, and one process at a time.
 *
 * <p><i>Threading notes.</i> {@link Fleet} starts and replaces the process under its own lock; any thread may call the
 * rest.
 */
final class Instance {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final String name;
    private final Path directory;
    private final Path settings;
    private final List<String> options;
    private volatile ChildProcess process;

    /**
     * @param configuration the instance's configuration without its state directory
     * @param options of its JVM
     */
    Instance(String name, Path directory, Map<String, String> configuration, List<String> options) throws IOException {
        this.options = List.copyOf(options);
        this.name = name;
        this.directory = directory;
        this.settings = directory.resolve(name + ".properties");
        Properties properties = new Properties();
        properties.putAll(configuration);
        properties.setProperty("state.dir", stateDirectory().toString());
        try (Writer file = Files.newBufferedWriter(settings, StandardCharsets.UTF_8)) {
            properties.store(file, null);
        }
    }

    /** {@code release} is that of its model. */
    void start(int release, List<String> commands) throws IOException {
        process = start(name, release, commands);
    }

    private ChildProcess start(String processName, int release, List<String> commands) throws IOException {
        List<String> all = new ArrayList<>(options);
        all.add("-D%s=%d".formatted(WordModel.RELEASE_KEY, release));
        List<String> arguments = new ArrayList<>(List.of(settings.toString()));
        arguments.addAll(commands);
        return ChildProcess.start(
                processName, InstanceMain.class, all, arguments, directory.resolve(processName + ".log"));
    }

    /** Where its state is. */
    Path stateDirectory() {
        return directory.resolve(name + "-state");
    }

    /** Starts a second process over the same state directory; the caller closes it. */
    ChildProcess startSecond() throws IOException {
        return start("second-of-" + name, 1, List.of());
    }

    /** The current process; if it has died, another one soon replaces it. */
    ChildProcess process() {
        return process;
    }

    boolean isReady() {
        return process.isAlive() && process.hasSaid(InstanceMain.READY);
    }

    /** Stops the process in order, or by force if that fails. */
    void stop() throws InterruptedException {
        ChildProcess stopping = process;
        stopping.command(InstanceMain.STOP, PATIENCE);
        if (!stopping.awaitEnd(PATIENCE)) {
            stopping.kill();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
