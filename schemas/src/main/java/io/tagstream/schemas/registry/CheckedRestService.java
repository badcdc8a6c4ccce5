/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaString;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.requests.RegisterSchemaResponse;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.core.type.TypeReference;

/**
 * The HTTP side of Confluent's client. It passes on only answers that a registry can give. A proxy, a login page or a
 * registry that is starting may answer 200 with something else. Confluent's client accepts and caches everything that
 * it can turn into an object, and fails on the rest as if the schema were at fault.
 *
 * <p><b>Threading notes.</b> Like {@link RestService}: safe for use by many threads once it is configured.
 */
final class CheckedRestService extends RestService {
    /** A proper answer, with a schema that is not Avro. */
    static final class ForeignSchemaException extends IOException {
        private static final long serialVersionUID = 1L;

        private ForeignSchemaException(String schemaType) {
            super("a " + schemaType + " schema");
        }
    }

    CheckedRestService(List<String> urls) {
        super(urls);
    }

    @Override
    public <T> T httpRequest(
            String path,
            String method,
            byte[] requestBody,
            Map<String, String> requestProperties,
            TypeReference<T> responseFormat)
            throws IOException, RestClientException {
        T answer;
        try {
            answer = super.httpRequest(path, method, requestBody, requestProperties, responseFormat);
        } catch (NullPointerException nullError) {
            // the client's reaction to an error whose body is the JSON null
            throw unexpected("it is an error without a message", nullError);
        }
        if (answer == null) {
            throw unexpected("it is empty", null);
        }
        if (answer instanceof SchemaString found) {
            check(found);
        } else if (answer instanceof Schema found) {
            checkId(found.getId());
        } else if (answer instanceof RegisterSchemaResponse registered) {
            checkId(registered.getId());
        }
        return answer;
    }

    private void check(SchemaString answer) throws IOException {
        String schema = answer.getSchemaString();
        String type = answer.getSchemaType();
        if (schema == null || schema.isBlank() || type == null || type.isBlank() || answer.getReferences() == null) {
            throw unexpected("it has no schema", null);
        }
        if (!AvroSchema.TYPE.equals(type)) {
            throw new ForeignSchemaException(type);
        }
        if (!answer.getReferences().isEmpty()) {
            return; // it can be checked only together with what it refers to
        }
        try {
            ConfluentSchemaRegistry.parse(schema);
        } catch (AvroRuntimeException malformed) {
            throw unexpected("its schema is not Avro", malformed);
        }
    }

    private void checkId(Integer id) throws IOException {
        if (id == null || id < 1) {
            throw unexpected("it has no positive schema id", null);
        }
    }

    /** Makes the exception. The next request goes to the next URL, as after a failure to connect. */
    private IOException unexpected(String found, Exception cause) {
        getBaseUrls().fail(getBaseUrls().current());
        return new IOException(
                "not a valid answer from a schema registry: " + found + (cause == null ? "" : ", " + cause), cause);
    }
}
