/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * The document of an image, as {@code mapping.json} describes it. It depends on the record alone, so the same record
 * always makes the same document, whenever and however often it is read.
 */
public final class TagDocument {
    /** Increased whenever documents of an earlier version cannot share an index with new ones. */
    public static final int VERSION = 1;

    /** The field that only the documents of deleted images have. */
    public static final String DELETED = "deleted";

    private static final ObjectMapper JSON = new ObjectMapper();

    private TagDocument() {}

    /**
     * An image and its tags.
     *
     * @param writtenAt the record's timestamp
     * @return JSON, UTF-8
     */
    public static byte[] of(TagEvent event, Instant writtenAt) {
        ObjectNode document = JSON.createObjectNode()
                .put("uri", event.getUri())
                .put("sha256", event.getSha256())
                .put("width", event.getWidth())
                .put("height", event.getHeight());
        ArrayNode tags = document.putArray("tags");
        ArrayNode names = document.putArray("tagNames");
        for (Tag tag : event.getTags()) {
            tags.addObject()
                    .put("labelId", tag.getLabelId())
                    .put("name", tag.getName())
                    .put("score", tag.getScore())
                    .put("threshold", tag.getThreshold());
            names.add(tag.getName());
        }
        ObjectNode attributes = document.putObject("attributes");
        ArrayNode terms = document.putArray("attributeTerms");
        // sorted, because the order of a deserialized map is undefined
        for (Map.Entry<String, String> attribute : new TreeMap<>(event.getAttributes()).entrySet()) {
            attributes.put(attribute.getKey(), attribute.getValue());
            terms.add(attribute.getKey() + "=" + attribute.getValue());
        }
        document.putObject("model")
                .put("id", event.getModel().getId())
                .put("version", event.getModel().getVersion());
        return written(document.put("vocabularyEpoch", event.getVocabularyEpoch())
                .put("cause", event.getCause().name())
                .put("taggedAt", event.getTaggedAt().toString())
                .put("writtenAt", writtenAt.toString()));
    }

    /**
     * The document of a deleted image.
     *
     * @param writtenAt the record's timestamp
     * @return JSON, UTF-8
     */
    static byte[] ofDeletion(Instant writtenAt) {
        return written(JSON.createObjectNode().put(DELETED, true).put("writtenAt", writtenAt.toString()));
    }

    private static byte[] written(ObjectNode document) {
        try {
            return JSON.writeValueAsBytes(document);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A tree of plain values is always JSON", e);
        }
    }
}
