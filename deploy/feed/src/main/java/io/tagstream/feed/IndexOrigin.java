/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/**
 * What an index was made from. It is kept in the index itself, in its mapping's {@code _meta}, so that it is lost and
 * restored together with the documents.
 *
 * @param topic the topic that the documents come from
 * @param topicId that topic's id: another topic of the same name has a different id, and its offsets mean nothing here
 * @param partitions how many partitions the topic had
 * @param documentVersion {@link TagDocument#VERSION} of the documents
 * @param currentAt when the index last held everything in the topic; until it first does, when the index was made
 */
public record IndexOrigin(String topic, String topicId, int partitions, int documentVersion, Instant currentAt) {
    private static final String META = "tagstream";

    /** The origin of an index made now. */
    public static IndexOrigin of(TagsTopic topic, Instant now) {
        return new IndexOrigin(topic.name(), topic.id(), topic.partitions(), TagDocument.VERSION, now);
    }

    public IndexOrigin currentAt(Instant when) {
        return new IndexOrigin(topic, topicId, partitions, documentVersion, when);
    }

    /** Whether offsets and documents mean the same; ignores {@code currentAt}. */
    public boolean sameAs(IndexOrigin other) {
        return currentAt(other.currentAt).equals(other);
    }

    /** As a mapping's {@code _meta}. */
    public ObjectNode meta() {
        ObjectNode meta = new ObjectMapper().createObjectNode();
        meta.putObject(META)
                .put("topic", topic)
                .put("topicId", topicId)
                .put("partitions", partitions)
                .put("documentVersion", documentVersion)
                .put("currentAt", currentAt.toString());
        return meta;
    }

    /** Reads a mapping; empty for an index that was not made by the feed. */
    public static Optional<IndexOrigin> of(JsonNode mapping) {
        JsonNode meta = mapping.path("_meta").path(META);
        if (!meta.isObject()) {
            return Optional.empty();
        }
        return Optional.of(new IndexOrigin(
                meta.path("topic").asText(),
                meta.path("topicId").asText(),
                meta.path("partitions").asInt(),
                meta.path("documentVersion").asInt(),
                instant(meta.path("currentAt").asText())));
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return Instant.EPOCH;
        }
    }
}
