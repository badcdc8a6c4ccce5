/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import org.apache.avro.Schema;

/**
 * Schemas by id, and ids by subject and schema.
 *
 * <p><b>Threading notes.</b> Implementations are safe for use by many threads. Calls may block on the network, at most
 * for the configured connect and read timeouts per registry URL; what was answered once is answered from memory.
 */
public interface SchemaRegistry extends AutoCloseable {
    /**
     * Makes sure that a subject has a schema. A schema that the subject has already is only looked up, so that reading
     * rights suffice where schemas are registered beforehand.
     *
     * @param subject subject, such as {@code tags-value}
     * @param schema the schema
     * @return the schema's id, above 0
     * @throws RegistryUnavailableException when no registry answers, or something else answers in its place; trying again
     *     later can help
     * @throws org.apache.kafka.common.errors.AuthenticationException when the registry refuses the credentials
     * @throws org.apache.kafka.common.errors.AuthorizationException when the credentials do not allow the call
     * @throws org.apache.kafka.common.errors.InvalidConfigurationException when the registry refuses the schema, such
     *     as for being incompatible with the subject's earlier ones
     */
    int register(String subject, Schema schema);

    /**
     * The schema of an id, as its writer registered it.
     *
     * @param id id from a record's first bytes
     * @return the schema
     * @throws RegistryUnavailableException when no registry answers, or something else answers in its place; trying again
     *     later can help
     * @throws org.apache.kafka.common.errors.AuthenticationException when the registry refuses the credentials
     * @throws org.apache.kafka.common.errors.AuthorizationException when the credentials do not allow the call
     * @throws org.apache.kafka.common.errors.SerializationException when the registry does not know the id, or it is
     *     of a schema that is no Avro
     */
    Schema schemaById(int id);

    /** Releases connections; never throws a checked exception. */
    @Override
    void close();
}
