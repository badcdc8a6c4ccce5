/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.cluster.topics.Startup;
import io.tagstream.model.ModelRuntime;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.TagstreamOnClients;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An instance's process: Tagstream as {@code tagstream run} starts it, except for the model ({@link WordModel}) and the
 * Kafka clients ({@link BreakableClients}). The first argument is the settings file; each further argument is a command
 * to follow before the start. The process exits with 0 after {@code stop}, and with 1 if Tagstream gives up.
 */
final class InstanceMain {
    private static final Logger log = LoggerFactory.getLogger(InstanceMain.class);

    static final String READY = "ready";
    static final String TIMED_OUT = "a call timed out";
    static final String THREAD_DIED = "a thread died";
    /** Precedes the port of its HTTP server. */
    static final String PORT = "port";

    static final String STOP = "stop";
    static final String HALT = "halt";
    static final String COMMIT_TIMES_OUT = "commit-times-out";
    static final String OFFSETS_TIME_OUT = "offsets-time-out";
    static final String VOCABULARY_LAGS = "vocabulary-lags";
    static final String SEND_TIMES_OUT = "send-times-out";
    static final String THREAD_DIES = "thread-dies";

    private final Breakpoints breakpoints = new Breakpoints();
    private final CompletableFuture<Void> stop = new CompletableFuture<>();

    private InstanceMain() {}

    public static void main(String[] arguments) throws Exception {
        InstanceMain instance = new InstanceMain();
        for (String command : List.of(arguments).subList(1, arguments.length)) {
            instance.follow(command);
        }
        Thread commands = new Thread(() -> Commands.read(instance::follow), "lab-commands");
        commands.setDaemon(true);
        commands.start();
        int exitCode = 1;
        try {
            exitCode = instance.run(config(Path.of(arguments[0])));
        } catch (RuntimeException | InterruptedException | ExecutionException e) {
            log.warn("The instance has failed", e); // not an error of Tagstream: it has said why
        }
        System.exit(exitCode);
    }

    private static TagstreamConfig config(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        }
        Map<String, Object> settings = new HashMap<>();
        properties.forEach((key, value) -> settings.put((String) key, value));
        return new TagstreamConfig(settings);
    }

    private void follow(String command) {
        String[] words = command.split(" ", -1);
        switch (words[0]) {
            case STOP -> stop.complete(null);
            case HALT -> breakpoints.halt(HaltPoint.valueOf(words[1]), Integer.parseInt(words[2]));
            case COMMIT_TIMES_OUT -> breakpoints.commitTimesOut();
            case OFFSETS_TIME_OUT -> breakpoints.offsetsTimeOut();
            case VOCABULARY_LAGS -> breakpoints.vocabularyLags(Boolean.parseBoolean(words[1]));
            case SEND_TIMES_OUT -> breakpoints.sendTimesOut();
            case THREAD_DIES -> breakpoints.threadDies();
            default -> throw new IllegalArgumentException("Unknown command " + command);
        }
    }

    private int run(TagstreamConfig config) throws InterruptedException, ExecutionException {
        BreakableClients clients = new BreakableClients(breakpoints, config.topic(TagstreamConfig.TAGS_TOPIC));
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Startup.prepare(config, registry, stop::isDone);
            try (ModelRuntime model = model(config);
                    Tagstream tagstream = TagstreamOnClients.create(config, model, registry, clients);
                    Operations operations = new Operations(
                            config,
                            Optional::empty,
                            tagstream::notReadyBecause,
                            Optional.of(tagstream::tagging),
                            Optional.empty())) {
                ChildProcess.announce(PORT + " " + operations.port().orElseThrow());
                if (!stop.isDone()) {
                    tagstream.start();
                }
                CompletableFuture<Object> end = CompletableFuture.anyOf(stop, tagstream.failure());
                boolean ready = false;
                while (!end.isDone()) {
                    if (!ready && tagstream.ready()) {
                        ready = true;
                        ChildProcess.announce(READY);
                    }
                    waitBriefly(end);
                }
                return stop.isDone() ? 0 : 1;
            }
        }
    }

    private static ModelRuntime model(TagstreamConfig config) {
        WordModel model = new WordModel(config);
        return Boolean.getBoolean(CrossedModel.KEY) ? new CrossedModel(model) : model;
    }

    private static void waitBriefly(CompletableFuture<Object> end) throws InterruptedException, ExecutionException {
        try {
            end.get(50, TimeUnit.MILLISECONDS);
        } catch (TimeoutException goOn) {
            return;
        }
    }
}
