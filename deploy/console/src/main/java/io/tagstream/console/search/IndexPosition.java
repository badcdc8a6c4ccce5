/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.util.HashMap;
import java.util.Map;

/**
 * How far an index has read a topic. Written together with the index, in one commit.
 *
 * @param topic the topic's name
 * @param topicId the topic's id, which tells it from a topic of the same name that was deleted and created again
 * @param next the next offset to be read, by partition
 */
public record IndexPosition(String topic, String topicId, Map<Integer, Long> next) {
    /** Changes whenever what is indexed, or how, changes: an index of another format is rebuilt. */
    private static final String FORMAT = "2";

    private static final String OFFSET = "offset.";

    public IndexPosition {
        next = Map.copyOf(next);
    }

    /** The beginning of a topic. */
    public static IndexPosition beginning(String topic, String topicId) {
        return new IndexPosition(topic, topicId, Map.of());
    }

    /** Whether both are positions in the same topic. */
    public boolean isOf(IndexPosition other) {
        return topic.equals(other.topic) && topicId.equals(other.topicId);
    }

    Map<String, String> toUserData() {
        Map<String, String> data = new HashMap<>(Map.of("format", FORMAT, "topic", topic, "topicId", topicId));
        next.forEach((partition, offset) -> data.put(OFFSET + partition, String.valueOf(offset)));
        return data;
    }

    /** Reads a position; if the data has another format, the result is a position in no topic. */
    static IndexPosition ofUserData(Map<String, String> data) {
        if (!FORMAT.equals(data.get("format"))) {
            return beginning("", "");
        }
        Map<Integer, Long> next = new HashMap<>();
        data.forEach((name, value) -> {
            if (name.startsWith(OFFSET)) {
                next.put(Integer.valueOf(name.substring(OFFSET.length())), Long.valueOf(value));
            }
        });
        return new IndexPosition(data.get("topic"), data.get("topicId"), next);
    }
}
