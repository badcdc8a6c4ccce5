/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the chart says of Tagstream. */
class ChartTest {
    /** The chart sets these itself. */
    private static final List<String> OWN =
            List.of(TagstreamConfig.HTTP_HOST, TagstreamConfig.HTTP_PORT, TagstreamConfig.STATE_DIR);

    @Test
    void shouldAcceptExactlyTheConfigurationsKeys() throws Exception {
        JsonNode schema = new YAMLMapper()
                .readTree(Path.of("..", "chart", "values.schema.json").toFile());
        List<String> keys = new ArrayList<>();
        schema.at("/properties/configuration/properties").fieldNames().forEachRemaining(keys::add);
        assertThat(keys)
                .as("values.schema.json, properties of configuration")
                .containsExactlyInAnyOrderElementsOf(TagstreamConfig.definition().names().stream()
                        .filter(key -> !OWN.contains(key))
                        .toList());
    }
}
