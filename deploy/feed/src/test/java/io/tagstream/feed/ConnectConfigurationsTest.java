/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.TagEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks that the configurations for Kafka Connect fit the topic's contract, as far as possible without Connect. */
class ConnectConfigurationsTest {
    private static final Path DIRECTORY = Path.of("..", "connect");
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @ValueSource(strings = {"opensearch-sink.json", "elasticsearch-sink.json", "jdbc-upsert-sink.json"})
    void shouldReadCommittedTagsInTheirWireFormat(String file) throws Exception {
        JsonNode connector = JSON.readTree(DIRECTORY.resolve(file).toFile());

        assertThat(connector.path("name").asText()).startsWith("tagstream-");
        JsonNode config = connector.path("config");
        assertThat(config).allSatisfy(value -> assertThat(value.isTextual()).isTrue());
        assertThat(config.path("topics").asText()).isEqualTo("tags");
        assertThat(config.path("key.converter").asText()).endsWith(".StringConverter");
        assertThat(config.path("value.converter").asText()).endsWith(".AvroConverter");
        assertThat(config.has("value.converter.schema.registry.url")).isTrue();
        assertThat(config.path("consumer.override.isolation.level").asText()).isEqualTo("read_committed");
    }

    @Test
    void shouldNameFieldsOfTheContract() throws Exception {
        Schema contract = TagEvent.getClassSchema();
        JsonNode jdbc = JSON.readTree(DIRECTORY.resolve("jdbc-upsert-sink.json").toFile());
        for (String field :
                jdbc.path("config").path("transforms.columns.exclude").asText().split(",", -1)) {
            assertThat(contract.getField(field)).as(field).isNotNull();
        }

        JsonNode index = JSON.readTree(DIRECTORY.resolve("index.json").toFile());
        List<String> fields = new ArrayList<>();
        index.path("mappings").path("properties").fieldNames().forEachRemaining(fields::add);
        assertThat(fields).contains("tagNames");
        fields.remove("tagNames"); // copied from tags.name
        assertThat(fields)
                .containsExactlyInAnyOrderElementsOf(
                        contract.getFields().stream().map(Schema.Field::name).toList());
    }
}
