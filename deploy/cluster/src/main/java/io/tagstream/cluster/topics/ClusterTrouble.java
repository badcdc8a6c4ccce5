/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.cluster.OperatorException;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.topology.config.TagstreamConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;

/** Tells the user what keeps a command from reaching its cluster or its schema registry. */
public final class ClusterTrouble {
    private ClusterTrouble() {}

    /**
     * Turns an exception from Kafka's clients or the registry into the one that ends the command: it says what does not
     * answer, and what to check.
     */
    public static OperatorException of(TagstreamConfig config, KafkaException trouble) {
        if (trouble instanceof RegistryUnavailableException) {
            return OperatorException.unavailable(
                    "no schema registry answers at %s; check schema.registry.url and that the registry is running (%s)"
                            .formatted(
                                    String.join(",", config.getList(TagstreamConfig.SCHEMA_REGISTRY_URL)),
                                    trouble.getMessage()),
                    trouble);
        }
        if (trouble instanceof TimeoutException) {
            return OperatorException.unavailable(
                    ("no Kafka cluster answers at %s (%s); check bootstrap.servers and kafka.*, and that the cluster is"
                                    + " running")
                            .formatted(servers(config), trouble.getMessage()),
                    trouble);
        }
        Throwable cause = trouble.getCause() == null ? trouble : trouble.getCause();
        String detail = cause == trouble || trouble.getMessage().contains(String.valueOf(cause.getMessage()))
                ? trouble.getMessage()
                : trouble.getMessage() + ": " + cause.getMessage();
        return OperatorException.failed(detail, trouble);
    }

    static String servers(TagstreamConfig config) {
        return String.join(",", config.getList(TagstreamConfig.BOOTSTRAP_SERVERS));
    }
}
