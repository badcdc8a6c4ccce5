/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.tagstream.model.bundle.Bundle;
import java.io.InputStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the tokenizers of exported bundles with those of open_clip and transformers. */
class ExportedTokenizerTest {
    @ParameterizedTest
    @ValueSource(strings = {"clip", "siglip"})
    void shouldGiveTheOriginalTokenizersIds(String name) throws Exception {
        Bundle bundle = Bundle.load("classpath:io/tagstream/bundles/" + name);
        try (InputStream in = getClass().getResourceAsStream("/io/tagstream/bundles/" + name + "/expected.json");
                LabelTokenizer tokenizer = new LabelTokenizer(bundle)) {
            JsonNode texts = new JsonMapper().readTree(in).get("texts");
            assertThat(texts)
                    .hasSizeGreaterThan(50)
                    .allSatisfy(text -> assertThat(
                                    tokenizer.tokenize(text.get("text").asText()))
                            .as(text.get("text").asText())
                            .containsExactly(ids(text)));
        }
    }

    private static long[] ids(JsonNode text) {
        return StreamSupport.stream(text.get("ids").spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
    }
}
