/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.avro.Schema;

/**
 * Removes from a schema what Avro's code generator adds only for Java ({@code avro.java.string}). The registered schema
 * is then the contract as written, and the same for producers in every language.
 */
final class JavaProperties {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STRING_TYPE = "avro.java.string";

    private JavaProperties() {}

    static Schema removedFrom(Schema schema) {
        try {
            return new Schema.Parser()
                    .parse(plain(JSON.readTree(schema.toString())).toString());
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Avro wrote a schema that is not JSON: " + schema, impossible);
        }
    }

    private static JsonNode plain(JsonNode node) {
        if (node instanceof ArrayNode array) {
            for (int index = 0; index < array.size(); index++) {
                array.set(index, plain(array.get(index)));
            }
        } else if (node instanceof ObjectNode object) {
            object.remove(STRING_TYPE);
            object.fieldNames().forEachRemaining(name -> object.set(name, plain(object.get(name))));
            if (object.size() == 1 && object.path("type").isTextual()) {
                return object.get("type"); // {"type": "string"} means "string"
            }
        }
        return node;
    }
}
