/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.console.Console;
import io.tagstream.console.ConsoleKeys;
import io.tagstream.console.ConsoleServices;
import io.tagstream.console.ShownInstance;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.inference.LoadingModel;
import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.state.UnusableStateException;
import io.tagstream.topology.waits.TaggingHealth;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka, a schema registry, a model and Tagstream, all in this process.
 *
 * <p><i>Threading notes:</i> one thread creates, starts and closes a node. Another thread loads the model while Kafka
 * starts.
 */
public final class LocalNode implements AutoCloseable {
    /** Settings that a node determines itself. */
    public static final List<String> OWN_SETTINGS =
            List.of(TagstreamConfig.BOOTSTRAP_SERVERS, TagstreamConfig.SCHEMA_REGISTRY_URL, TagstreamConfig.STATE_DIR);

    private static final Logger log = LoggerFactory.getLogger(LocalNode.class);
    /** One process: more partitions would cost transaction markers and memory for no benefit. */
    private static final int PARTITIONS = 1;

    private final Deque<Part> parts = new ArrayDeque<>();
    private final Path uploads;
    private final Optional<Console> console;
    private final Operations operations;
    private final LoadingModel model;
    private TagstreamConfig config;
    private EmbeddedBroker broker;
    private LocalRegistry registryServer;
    private SchemaRegistry registry;
    private Contracts contracts;
    private volatile Tagstream tagstream;

    /** Something to close, by name. */
    private record Part(String name, AutoCloseable closeable) {}

    /**
     * Starts Kafka on {@code port}, or on a free port for 0, and the registry on the next port, or on a free one;
     * creates the topics; starts to load the model.
     *
     * @throws OperatorException if something does not start
     */
    public static LocalNode start(Settings settings, DataDirectory data, int port) {
        settings.with(TagstreamConfig.STATE_DIR, data.state().toString())
                .with(TagstreamConfig.BOOTSTRAP_SERVERS, "127.0.0.1:" + port)
                .with(TagstreamConfig.SCHEMA_REGISTRY_URL, "http://127.0.0.1:" + port)
                .withDefault(TopicKeys.TOPICS_PARTITIONS, PARTITIONS)
                .with(TagstreamConfig.TOPICS_REPLICATION_FACTOR, (short) 1);
        if (!settings.has(InferenceKeys.DECODE_SANDBOX)) {
            // the images are the user's own, and processes would slow the start by a second
            settings.withDefault(InferenceKeys.DECODE_ISOLATION, "none");
        }
        LocalNode node = new LocalNode(settings.config(), data.uploads());
        try {
            node.startServers(settings, data, port);
            return node;
        } catch (RuntimeException | Error e) {
            node.close();
            throw e;
        }
    }

    /** Starts to load the model, from a configuration whose addresses are not known yet. */
    private LocalNode(TagstreamConfig early, Path uploads) {
        this.uploads = uploads;
        console = early.getBoolean(ConsoleKeys.CONSOLE_ENABLED) ? Optional.of(new Console(early)) : Optional.empty();
        operations = new Operations(early, Optional::empty, this::notReadyBecause, Optional.of(this::tagging), console);
        parts.push(new Part("operations", operations));
        model = LoadingModel.start(early, operations.metrics());
        parts.push(new Part("model", model));
    }

    private void startServers(Settings settings, DataDirectory data, int port) {
        int registryPort = port == 0 ? 0 : port + 1;
        try {
            broker = EmbeddedBroker.start(data.kafka(), port);
            parts.push(new Part("broker", broker));
            model.failIfItCannotBeLoaded();
            registryServer = LocalRegistry.start(broker.bootstrapServers(), registryPort);
            parts.push(new Part("schema registry", registryServer));
        } catch (BindException e) {
            throw OperatorException.failed(
                    e.getMessage() + "; --port N needs ports N (Kafka) and N+1 (schema registry) to be free", e);
        } catch (IOException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
        config = settings.with(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers())
                .with(TagstreamConfig.SCHEMA_REGISTRY_URL, registryServer.url())
                .config();
        registry = SchemaRegistries.connect(config.registrySettings());
        parts.push(new Part("registry client", registry));
        contracts = new Contracts(registry);
        TopicProvisioner.provision(config);
        contracts.register(config);
        model.failIfItCannotBeLoaded();
        log.info("Kafka listens on {}, the schema registry on {}", bootstrapServers(), registryUrl());
    }

    /**
     * Starts Tagstream once the model is loaded.
     *
     * @throws OperatorException if the model cannot be loaded, or the state directory cannot be used
     */
    public Tagstream startTagstream() {
        try {
            tagstream = new Tagstream(config, runtime(), registry, operations.metrics());
            parts.push(new Part("topology", tagstream));
            tagstream.startAlone();
        } catch (UnusableStateException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
        operations.remark(tagstream::noTagsBecause);
        console.ifPresent(page -> parts.push(new Part(
                "console",
                new ConsoleServices(
                        page,
                        config,
                        contracts,
                        new ShownInstance(tagstream, runtime().description(), operations.metrics()),
                        Optional.of(uploads),
                        Optional.of(tagstream.images())))));
        return tagstream;
    }

    /** The configuration that everything in the node runs with. */
    public TagstreamConfig config() {
        return config;
    }

    /** The topics' serdes. */
    public Contracts contracts() {
        return contracts;
    }

    /**
     * The model; waits until it is loaded.
     *
     * @throws OperatorException if it cannot be loaded
     */
    public OnnxModelRuntime runtime() {
        return model.get();
    }

    private Optional<String> notReadyBecause() {
        return tagstream == null ? Optional.of("starting") : tagstream.notReadyBecause();
    }

    private TaggingHealth tagging() {
        return tagstream == null ? TaggingHealth.well("starting") : tagstream.tagging();
    }

    /** The registry of the node's metrics; add a registry to it to read them. */
    public CompositeMeterRegistry metrics() {
        return operations.metrics();
    }

    /** Where Kafka listens, host:port. */
    public String bootstrapServers() {
        return broker.bootstrapServers();
    }

    /** Where the console is, if there is one. */
    public Optional<String> consoleUrl() {
        OptionalInt port = operations.port();
        return console.isPresent() && port.isPresent()
                ? Optional.of("http://127.0.0.1:" + port.getAsInt())
                : Optional.empty();
    }

    /** Where the schema registry listens. */
    public String registryUrl() {
        return registryServer.url();
    }

    /** Stops everything, last started first. */
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            Part part = parts.pop();
            try {
                part.closeable().close();
            } catch (Exception e) { // the other parts are still closed
                log.warn("The {} did not close cleanly", part.name(), e);
            }
        }
    }
}
