/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import java.io.IOException;

/**
 * A new, empty broker and schema registry for a test. What they are is chosen by system property:
 *
 * <ul>
 *   <li>{@code it.environment}: {@code embedded} (default; in this JVM) or {@code containers} (needs a Docker engine)
 *   <li>{@code it.kafka.image}, {@code it.registry.image}: the containers' images, see {@link ContainerCluster}
 * </ul>
 *
 * <p>The registry's compatibility is BACKWARD_TRANSITIVE. There are no topics but the broker's and the registry's own,
 * and none comes into being by being asked for.
 */
public interface TestCluster extends AutoCloseable {
    /** Where Kafka clients connect: {@code host:port}. */
    String bootstrapServers();

    /** What registry clients are given as {@code schema.registry.url}. */
    String registryUrl();

    /** Stops both and deletes their data. */
    @Override
    void close() throws IOException;

    /**
     * Starts a cluster and returns when it takes requests.
     *
     * @return the cluster, to be closed by the caller
     * @throws IOException when it does not start
     * @throws IllegalStateException when containers are asked for and no Docker engine answers
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
