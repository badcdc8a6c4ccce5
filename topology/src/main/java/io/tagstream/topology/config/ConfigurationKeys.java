/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import org.apache.kafka.common.config.ConfigDef;

/**
 * The configuration keys that one room reads: their names, documentation, defaults and validation. They are found by
 * the class's name in {@code META-INF/services/io.tagstream.topology.config.ConfigurationKeys}.
 */
public interface ConfigurationKeys {
    /** Adds the keys to the configuration's definition. */
    void define(ConfigDef definition);

    /**
     * Checks what the definition cannot express.
     *
     * @throws org.apache.kafka.common.config.ConfigException if a value is wrong; it names the key
     */
    default void validate(TagstreamConfig config) {}
}
