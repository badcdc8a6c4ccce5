/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The index's mapping: what the feed needs in it, and whether an existing mapping has that. */
public final class IndexMapping {
    private static final ObjectMapper JSON = new ObjectMapper();

    private IndexMapping() {}

    /** The mapping of a new index; a copy that the caller may add to. */
    public static ObjectNode wanted() {
        try (InputStream mapping = IndexMapping.class.getResourceAsStream("mapping.json")) {
            return (ObjectNode) JSON.readTree(mapping);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The conflicts of a mapping with the feed's documents, one sentence each. Extra fields and multi-fields are not
     * checked: they are their owner's business.
     *
     * @param actual the mapping as the server reports it
     */
    static List<String> conflicts(JsonNode actual) {
        List<String> conflicts = new ArrayList<>();
        compare("", wanted().path("properties"), actual.path("properties"), conflicts);
        return conflicts;
    }

    private static void compare(String path, JsonNode wanted, JsonNode actual, List<String> conflicts) {
        for (Map.Entry<String, JsonNode> field : wanted.properties()) {
            String name = path + field.getKey();
            JsonNode there = actual.path(field.getKey());
            if (there.isMissingNode()) {
                conflicts.add("field %s is missing".formatted(name));
            } else if (!type(there).equals(type(field.getValue()))) {
                conflicts.add(
                        "field %s is of type %s but must be %s".formatted(name, type(there), type(field.getValue())));
            } else {
                compare(name + ".", field.getValue().path("properties"), there.path("properties"), conflicts);
            }
        }
    }

    /** Servers omit the type of plain objects. */
    private static String type(JsonNode field) {
        return field.path("type").asText("object");
    }
}
