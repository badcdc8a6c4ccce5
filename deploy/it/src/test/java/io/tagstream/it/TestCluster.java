/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import java.io.IOException;

/**
 * A new, empty broker and schema registry for a test. System properties choose the implementation:
 *
 * <ul>
 *   <li>{@code it.environment}: {@code embedded} (default; in this JVM) or {@code containers} (needs a Docker engine)
 *   <li>{@code it.kafka.image}, {@code it.registry.image}: the container images; see {@link ContainerCluster}
 * </ul>
 *
 * <p>The registry's compatibility is BACKWARD_TRANSITIVE. The only topics are the broker's and the registry's own,
 * and topics are not created automatically.
 */
public interface TestCluster extends AutoCloseable {
    /** The address for Kafka clients, {@code host:port}. */
    String bootstrapServers();

    /** The value of {@code schema.registry.url} for registry clients. */
    String registryUrl();

    /** Stops both and deletes their data. */
    @Override
    void close() throws IOException;

    /**
     * Starts a cluster and returns when it accepts requests.
     *
     * @return the cluster, which the caller must close
     * @throws IOException if it does not start
     * @throws IllegalStateException if containers are requested and no Docker engine answers
     */
    static TestCluster start() throws IOException {
        String environment = System.getProperty("it.environment", "embedded");
        return switch (environment) {
            case "embedded" -> new EmbeddedCluster();
            case "containers" -> new ContainerCluster();
            default ->
                throw new IllegalArgumentException(
                        "it.environment is '" + environment + "': set it to embedded or containers");
        };
    }
}
