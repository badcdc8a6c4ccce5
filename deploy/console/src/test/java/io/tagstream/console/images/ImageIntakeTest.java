/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageIntakeTest {
    /** Nothing listens there: accepting a file fails with another exception. */
    private static final String NO_BROKER = "127.0.0.1:1";

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"RIFF....AVI LIST", "RIFF....WAVEfmt ", "BMW is a maker of cars", "%PDF-1.7", ""})
    void shouldKeepNothingThatIsNotAnImage(String content) {
        TagstreamConfig config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                NO_BROKER,
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                "kafka.max.block.ms",
                100));
        try (ImageIntake intake = new ImageIntake(config, new Contracts(SchemaRegistries.inMemory()), directory)) {
            assertThatThrownBy(() -> intake.file("photo.webp", content.getBytes(StandardCharsets.ISO_8859_1)))
                    .isInstanceOfSatisfying(
                            ImageException.class,
                            e -> assertThat(e.reason()).isEqualTo(FailureReason.UNSUPPORTED_FORMAT));
        }
        assertThat(directory).isEmptyDirectory();
    }
}
