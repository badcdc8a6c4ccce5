/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * One fact of the registry, as kept in the schemas topic: the latest value of a key applies.
 *
 * @param key what the fact is about
 * @param value the fact; null if it no longer holds
 */
record RegistryEntry(Key key, Value value) {
    enum Kind {
        /** A version of a subject. */
        SCHEMA,
        /** A compatibility level: that of a subject or, without a subject, that of all others. */
        CONFIG,
        /** The highest id ever assigned, kept even if its schema is permanently deleted. */
        HIGHEST_ID
    }

    /** The property order is part of the format: equal keys must be equal bytes for compaction. */
    @JsonPropertyOrder({"keytype", "subject", "version"})
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Key(
            @JsonProperty("keytype") Kind kind,
            @JsonProperty("subject") String subject,
            @JsonProperty("version") Integer version) {}

    /** The fields that a {@link Kind} does not need are null. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Value(
            @JsonProperty("id") Integer id,
            @JsonProperty("schema") String schema,
            @JsonProperty("deleted") Boolean deleted,
            @JsonProperty("compatibilityLevel") CompatibilityLevel compatibility) {}

    static RegistryEntry schema(RegisteredSchema registered) {
        return new RegistryEntry(
                new Key(Kind.SCHEMA, registered.subject(), registered.version()),
                new Value(registered.id(), registered.schema(), registered.deleted(), null));
    }

    static RegistryEntry noSchema(RegisteredSchema registered) {
        return new RegistryEntry(new Key(Kind.SCHEMA, registered.subject(), registered.version()), null);
    }

    static RegistryEntry compatibility(String subject, CompatibilityLevel level) {
        return new RegistryEntry(
                new Key(Kind.CONFIG, subject, null), level == null ? null : new Value(null, null, null, level));
    }

    static RegistryEntry highestId(int id) {
        return new RegistryEntry(new Key(Kind.HIGHEST_ID, null, null), new Value(id, null, null, null));
    }
}
