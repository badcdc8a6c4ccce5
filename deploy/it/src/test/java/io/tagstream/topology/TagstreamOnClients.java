/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import org.apache.kafka.streams.KafkaClientSupplier;

/** For tests in other packages: Tagstream with Kafka clients of theirs. */
public final class TagstreamOnClients {
    private TagstreamOnClients() {}

    /** An instance whose tagging topology has its clients from {@code taggingClients}. */
    public static Tagstream create(
            TagstreamConfig config, ModelRuntime runtime, SchemaRegistry registry, KafkaClientSupplier taggingClients) {
        return new Tagstream(config, runtime, registry, taggingClients);
    }
}
