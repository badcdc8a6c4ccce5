/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.Cause;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.feed.opensearch.IndexMapping;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TagDocumentTest {
    private static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_000L);
    private static final TagEvent EVENT = new TagEvent(
            "https://example.org/cat.jpg",
            "0".repeat(64),
            640,
            480,
            List.of(new Tag("c", "cat", 0.5f, 0.25f), new Tag("a", "animal", 0.25f, 0.25f)),
            Map.of("b", "2", "a.a", "1"),
            new Model("everyday", "1 cpu float32"),
            7L,
            Cause.NEW_IMAGE,
            TIME);

    @Test
    void shouldHoldAllThatTheEventDoes() throws Exception {
        JsonNode expected = new ObjectMapper().readTree("""
                {
                  "uri": "https://example.org/cat.jpg",
                  "sha256": "0000000000000000000000000000000000000000000000000000000000000000",
                  "width": 640,
                  "height": 480,
                  "tags": [
                    {"labelId": "c", "name": "cat", "score": 0.5, "threshold": 0.25},
                    {"labelId": "a", "name": "animal", "score": 0.25, "threshold": 0.25}
                  ],
                  "tagNames": ["cat", "animal"],
                  "attributes": {"a.a": "1", "b": "2"},
                  "attributeTerms": ["a.a=1", "b=2"],
                  "model": {"id": "everyday", "version": "1 cpu float32"},
                  "vocabularyEpoch": 7,
                  "cause": "NEW_IMAGE",
                  "taggedAt": "2023-11-14T22:13:20Z",
                  "writtenAt": "2023-11-14T22:13:21Z"
                }
                """);

        assertThat(new ObjectMapper().readTree(TagDocument.of(EVENT, TIME.plusSeconds(1))))
                .isEqualTo(expected);
    }

    @Test
    void shouldHaveAFieldInTheMappingForEachOfItsOwn() throws Exception {
        List<String> fields = new ArrayList<>();
        new ObjectMapper().readTree(TagDocument.of(EVENT, TIME)).fieldNames().forEachRemaining(fields::add);
        fields.add(TagDocument.DELETED);
        List<String> mapped = new ArrayList<>();
        IndexMapping.wanted().path("properties").fieldNames().forEachRemaining(mapped::add);

        assertThat(mapped).containsExactlyInAnyOrderElementsOf(fields);
    }

    @Test
    void shouldKeepNothingOfADeletedImage() throws Exception {
        assertThat(new ObjectMapper().readTree(TagDocument.ofDeletion(TIME)))
                .isEqualTo(new ObjectMapper().readTree("{\"deleted\":true,\"writtenAt\":\"2023-11-14T22:13:20Z\"}"));
    }
}
