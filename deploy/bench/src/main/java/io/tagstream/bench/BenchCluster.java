/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.local.DataDirectory;
import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.common.Node;

/**
 * Kafka and a schema registry in this process, for instances of Tagstream that start and stop. Everything that they
 * write is lost when the cluster closes. Created, used and closed by one thread.
 */
final class BenchCluster implements AutoCloseable {
    private final DataDirectory data;
    private final EmbeddedBroker broker;
    private final LocalRegistry registryServer;
    private final SchemaRegistry registry;
    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Admin admin;

    private BenchCluster(
            DataDirectory data, EmbeddedBroker broker, LocalRegistry registryServer, TagstreamConfig config) {
        this.data = data;
        this.broker = broker;
        this.registryServer = registryServer;
        this.config = config;
        this.registry = SchemaRegistries.connect(config.registrySettings());
        this.contracts = new Contracts(registry);
        this.admin = Admin.create(config.kafkaSettings());
    }

    /** Starts both. Adds their addresses and a directory for the state to the settings. */
    static BenchCluster start(Settings settings) {
        DataDirectory data = DataDirectory.open(Optional.empty());
        EmbeddedBroker broker = null;
        LocalRegistry registryServer = null;
        try {
            broker = EmbeddedBroker.start(data.kafka(), 0);
            registryServer = LocalRegistry.start(broker.bootstrapServers(), 0);
            return new BenchCluster(
                    data,
                    broker,
                    registryServer,
                    settings.with(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers())
                            .with(TagstreamConfig.SCHEMA_REGISTRY_URL, registryServer.url())
                            .with(TagstreamConfig.STATE_DIR, data.state().toString())
                            .with(TagstreamConfig.TOPICS_REPLICATION_FACTOR, "1")
                            .config());
        } catch (IOException | RuntimeException e) {
            if (registryServer != null) {
                registryServer.close();
            }
            if (broker != null) {
                broker.close();
            }
            data.close();
            throw e instanceof OperatorException failure
                    ? failure
                    : OperatorException.failed("the benchmark cannot be set up: " + e.getMessage(), e);
        }
    }

    /** The configuration, with some settings changed for an instance. */
    TagstreamConfig config(Map<String, String> others) {
        Map<String, Object> values = new HashMap<>(config.originals());
        values.putAll(others);
        return new TagstreamConfig(values);
    }

    Contracts contracts() {
        return contracts;
    }

    SchemaRegistry registry() {
        return registry;
    }

    /** Where instances keep their state. */
    Path state() {
        return data.state();
    }

    /** The size of each topic on the broker's disk, in bytes. */
    Map<String, Long> topicBytes() throws InterruptedException {
        try {
            return admin
                    .describeLogDirs(admin.describeCluster().nodes().get().stream()
                            .map(Node::id)
                            .toList())
                    .allDescriptions()
                    .get()
                    .values()
                    .stream()
                    .flatMap(directories -> directories.values().stream())
                    .map(LogDirDescription::replicaInfos)
                    .flatMap(replicas -> replicas.entrySet().stream())
                    .collect(Collectors.groupingBy(
                            replica -> replica.getKey().topic(),
                            Collectors.summingLong(replica -> replica.getValue().size())));
        } catch (ExecutionException e) {
            throw OperatorException.failed("the broker does not report the size of its topics: " + e.getCause(), e);
        }
    }

    @Override
    public void close() {
        admin.close();
        registry.close();
        registryServer.close();
        broker.close();
        data.close();
    }
}
