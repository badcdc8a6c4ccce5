/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import org.apache.avro.Schema;

/**
 * Finds schemas by id, and ids by subject and schema.
 *
 * <p><b>Threading notes.</b> Implementations are safe for use by many threads. Calls may block on the network, at most
 * for the configured connect and read timeouts per registry URL. Answers are kept in memory.
 */
public interface SchemaRegistry extends AutoCloseable {
    /**
     * Makes sure that a subject has a schema. If the subject has it already, it is only looked up, so that read access
     * is enough if schemas are registered beforehand.
     *
     * @param subject subject, such as {@code tags-value}
     * @param schema the schema
     * @return the schema's id, above 0
     * @throws RegistryUnavailableException when no registry answers, or something else answers in its place; trying
     *     again later can help
     * @throws org.apache.kafka.common.errors.AuthenticationException when the registry refuses the credentials
     * @throws org.apache.kafka.common.errors.AuthorizationException when the credentials do not allow the call
     * @throws org.apache.kafka.common.errors.InvalidConfigurationException when the registry refuses the schema, for
     *     example because it is incompatible with the subject's earlier ones
     */
    int register(String subject, Schema schema);

    /**
     * The schema with an id, as its writer registered it.
     *
     * @param id the id in a record's first bytes
     * @return the schema
     * @throws RegistryUnavailableException when no registry answers, or something else answers in its place; trying
     *     again later can help
     * @throws org.apache.kafka.common.errors.AuthenticationException when the registry refuses the credentials
     * @throws org.apache.kafka.common.errors.AuthorizationException when the credentials do not allow the call
     * @throws org.apache.kafka.common.errors.SerializationException when the registry does not know the id, or its
     *     schema is not Avro
     */
    Schema schemaById(int id);

    /** Releases connections; never throws a checked exception. */
    @Override
    void close();
}
