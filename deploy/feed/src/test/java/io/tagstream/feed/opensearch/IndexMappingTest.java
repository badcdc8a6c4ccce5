/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

class IndexMappingTest {
    @Test
    void shouldTakeItsOwnMappingWithFieldsThatOthersHaveAdded() {
        ObjectNode actual = IndexMapping.wanted();
        ((ObjectNode) actual.path("properties")).putObject("owner").put("type", "keyword");
        ((ObjectNode) actual.path("properties").path("uri"))
                .putObject("fields")
                .putObject("text")
                .put("type", "text");

        assertThat(IndexMapping.conflicts(actual)).isEmpty();
    }

    @Test
    void shouldSayWhichFieldsAreNotWhatTheyMustBe() {
        ObjectNode actual = IndexMapping.wanted();
        ObjectNode properties = (ObjectNode) actual.path("properties");
        properties.remove("cause");
        properties.putObject("model").put("type", "keyword");
        ((ObjectNode) properties.path("tags").path("properties").path("score")).put("type", "text");

        assertThat(IndexMapping.conflicts(actual))
                .containsExactlyInAnyOrder(
                        "field cause is missing",
                        "field model is of type keyword but must be object",
                        "field tags.score is of type text but must be float");
    }
}
