/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import io.tagstream.cli.ClusterOptions;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.Startup;
import io.tagstream.console.Console;
import io.tagstream.console.ConsoleKeys;
import io.tagstream.console.ConsoleServices;
import io.tagstream.console.ShownInstance;
import io.tagstream.console.peers.ClusterImageQueries;
import io.tagstream.inference.LoadingModel;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.state.UnusableStateException;
import io.tagstream.topology.waits.TaggingHealth;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.config.types.Password;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tagstream run}. */
@Command(
        name = "run",
        description = {
            "Tags the images that arrive on a Kafka cluster until it is stopped. Start it on several machines with the"
                    + " same application.id to share the work.",
            "",
            "Settings come from the file, from TAGSTREAM_* environment variables (TAGSTREAM_IMAGES_TOPIC sets"
                    + " images.topic) and from --set; each overrides the one before. Keys that begin with kafka. go to"
                    + " Kafka's clients. See deploy/docs/configuration.md.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExample of a file:%n",
        footer = {
            "  bootstrap.servers=kafka-1:9092,kafka-2:9092",
            "  schema.registry.url=http://registry:8081",
            "  state.dir=/var/lib/tagstream",
            "  kafka.security.protocol=SSL"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "1:the cluster, the registry, the model or the state directory cannot be used, or tagging has stopped for"
                    + " good",
            "2:wrong usage or configuration; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
public final class RunCommand implements Callable<Integer>, Subcommand {
    private static final Logger log = LoggerFactory.getLogger(RunCommand.class);
    private static final Duration READINESS_CHECK = Duration.ofMillis(100);

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.applyToService();
        TagstreamConfig config = cluster.config();
        log.info(ProcessResources.of(config));
        try (StopSignal stop = new StopSignal();
                SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            AtomicReference<Tagstream> started = new AtomicReference<>();
            Optional<Console> console = console(config);
            try (Operations operations = new Operations(
                            config,
                            () -> stopped(started),
                            () -> notReady(started),
                            Optional.of(() -> tagging(started)),
                            console);
                    LoadingModel model = LoadingModel.start(config, operations.metrics())) {
                Startup.prepare(config, registry, () -> {
                    model.failIfItCannotBeLoaded();
                    return stop.isRequested();
                });
                try (Tagstream tagstream = new Tagstream(config, model.get(), registry, operations.metrics())) {
                    if (!stop.isRequested()) {
                        started.set(tagstream); // before the start, which may wait for the cluster or the registry
                        tagstream.start();
                        operations.remark(tagstream::noTagsBecause);
                        operations.remark(() -> Optional.of(sandbox(model.get())));
                        operations.copies(tagstream::copies);
                        try (Served served = serve(console, config, registry, tagstream, model.get(), operations)) {
                            follow(tagstream, model.get().description(), stop);
                        }
                    }
                }
            }
            log.info("Stopped");
            return stop.exitCode();
        } catch (UnusableStateException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
    }

    private static Optional<Console> console(TagstreamConfig config) {
        if (!config.getBoolean(ConsoleKeys.CONSOLE_ENABLED)) {
            return Optional.empty();
        }
        if (config.optionalInt(TagstreamConfig.HTTP_PORT).isEmpty()) {
            throw OperatorException.invalid("%s=true needs a port for the console; set %s"
                    .formatted(ConsoleKeys.CONSOLE_ENABLED, TagstreamConfig.HTTP_PORT));
        }
        return Optional.of(new Console(config));
    }

    /** The console, if there is one; close it before the things that it shows. */
    private interface Served extends AutoCloseable {
        @Override
        void close();
    }

    private static Served serve(
            Optional<Console> console,
            TagstreamConfig config,
            SchemaRegistry registry,
            Tagstream tagstream,
            ModelRuntime runtime,
            Operations operations) {
        if (console.isEmpty()) {
            return () -> {};
        }
        ConsoleServices services = new ConsoleServices(
                console.get(),
                config,
                new Contracts(registry),
                new ShownInstance(tagstream, runtime.description(), operations.metrics()),
                Optional.empty(),
                Optional.of(new ClusterImageQueries(
                        tagstream.images(),
                        Optional.ofNullable(config.getPassword(ConsoleKeys.CONSOLE_TOKEN))
                                .map(Password::value))));
        return services::close;
    }

    private static Optional<String> stopped(AtomicReference<Tagstream> started) {
        return Optional.ofNullable(started.get())
                .filter(tagstream -> tagstream.failure().isDone())
                .flatMap(Tagstream::notReadyBecause);
    }

    private static Optional<String> notReady(AtomicReference<Tagstream> started) {
        return started.get() == null ? Optional.of("starting") : started.get().notReadyBecause();
    }

    private static TaggingHealth tagging(AtomicReference<Tagstream> started) {
        return started.get() == null
                ? TaggingHealth.well("starting")
                : started.get().tagging();
    }

    /** An instance that waits because another bundle is in force is ready, too. */
    private static boolean tags(Tagstream tagstream) {
        return tagstream.ready() && tagstream.waitsBecause().isEmpty();
    }

    private static String sandbox(OnnxModelRuntime model) {
        return (model.sandbox().inForce() ? "decoders are sandboxed: " : "decoders are not sandboxed: ")
                + model.sandbox().text();
    }

    private static void follow(Tagstream tagstream, ModelDescription model, StopSignal stop)
            throws InterruptedException {
        CompletableFuture<Throwable> failure = tagstream.failure();
        CompletableFuture<Object> end = CompletableFuture.anyOf(failure, stop.requested());
        while (!end.isDone() && !tags(tagstream)) {
            Thread.sleep(READINESS_CHECK.toMillis());
        }
        if (tags(tagstream)) {
            log.info(
                    "Tagging; vocabulary epoch {}, {} labels, model {} {}",
                    tagstream.vocabularyEpoch(),
                    tagstream.vocabularySize(),
                    model.id(),
                    model.version());
        }
        end.join();
        if (failure.isDone() && !stop.isRequested()) {
            throw OperatorException.failed(
                    "tagging has stopped for good: " + failure.join().getMessage());
        }
    }
}
