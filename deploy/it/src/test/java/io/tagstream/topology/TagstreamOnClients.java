/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import org.apache.kafka.streams.KafkaClientSupplier;

/** Creates Tagstream with custom Kafka clients, for tests in other packages. */
public final class TagstreamOnClients {
    private TagstreamOnClients() {}

    /** Creates an instance whose tagging topology gets its clients from {@code taggingClients}. */
    public static Tagstream create(
            TagstreamConfig config, ModelRuntime runtime, SchemaRegistry registry, KafkaClientSupplier taggingClients) {
        return new Tagstream(config, runtime, registry, new CompositeMeterRegistry(), taggingClients);
    }
}
