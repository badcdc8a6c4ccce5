/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.ImageReference;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import org.apache.avro.Schema;

/** A schema registry that may be away. Others have registered the contract of images under ids of their own. */
final class SimulatedRegistry implements SchemaRegistry {
    /** The lowest id that another producer has. */
    static final int FIRST_FOREIGN = 1_000;

    private final SchemaRegistry own = SchemaRegistries.inMemory();
    private boolean away;

    void away(boolean now) {
        away = now;
    }

    @Override
    public int register(String subject, Schema schema) {
        return own.register(subject, schema);
    }

    @Override
    public Schema schemaById(int id) {
        if (away) {
            throw new RegistryUnavailableException("the registry is away (simulated)", null);
        }
        return id >= FIRST_FOREIGN ? ImageReference.getClassSchema() : own.schemaById(id);
    }

    @Override
    public void close() {}
}
