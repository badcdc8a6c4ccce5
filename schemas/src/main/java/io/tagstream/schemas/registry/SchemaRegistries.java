/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import java.util.Map;

/** Makes {@link SchemaRegistry} instances. */
public final class SchemaRegistries {
    private SchemaRegistries() {}

    /**
     * A registry over HTTP, through Confluent's client. This does not connect yet.
     *
     * <p>Keys are Confluent's own under the prefix {@code schema.registry.}:
     *
     * <ul>
     *   <li>{@code schema.registry.url}: one or more http or https URLs, separated by commas; required
     *   <li>{@code schema.registry.basic.auth.user.info} ({@code user:password}); if
     *       {@code schema.registry.basic.auth.credentials.source} is missing, it is {@code USER_INFO}
     *   <li>{@code schema.registry.bearer.auth.*}: a token, or OAuth; with a token, the source is {@code STATIC_TOKEN}
     *       if it is missing
     *   <li>{@code schema.registry.ssl.*}: like Kafka's {@code ssl.*}
     *   <li>{@code schema.registry.http.connect.timeout.ms} and {@code schema.registry.http.read.timeout.ms}: by
     *       default 3,000 and 5,000, short enough for a Kafka transaction (the client's own default is a minute)
     *   <li>{@code schema.registry.proxy.*}, {@code schema.registry.missing.*}: as in Confluent's client
     * </ul>
     *
     * @param configs configuration; keys that do not start with {@code schema.registry.} are ignored
     * @return the registry; the caller closes it
     * @throws org.apache.kafka.common.config.ConfigException for a missing or malformed URL, an unknown key or a value
     *     that Confluent's client refuses; the message names the key
     */
    public static SchemaRegistry connect(Map<String, ?> configs) {
        return ConfluentSchemaRegistry.connect(configs);
    }

    /**
     * A registry in this process's memory, for tests. It numbers schemas from 1 and checks no compatibility.
     *
     * @return a new, empty registry
     */
    public static SchemaRegistry inMemory() {
        return new InMemorySchemaRegistry();
    }
}
