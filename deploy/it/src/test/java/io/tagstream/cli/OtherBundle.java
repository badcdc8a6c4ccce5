/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A bundle other than the default: its model under another ID, with a lower generation and its own label vectors. */
final class OtherBundle {
    static final String ID = "elsewhere";
    static final int GENERATION = 1;

    private static final String DEFAULT = "/io/tagstream/bundles/everyday/";
    private static final List<String> FILES = List.of(
            "image_encoder.onnx",
            "decoder.onnx",
            "reference_embeddings.f32",
            "text_center.f32",
            "self_test_pixels.u8",
            "vocabulary.csv");

    private OtherBundle() {}

    /** Makes the bundle in a new folder. */
    static Path in(Path folder) throws IOException {
        Files.createDirectory(folder);
        for (String file : FILES) {
            try (InputStream bytes = OtherBundle.class.getResourceAsStream(DEFAULT + file)) {
                Files.copy(bytes, folder.resolve(file));
            }
        }
        try (InputStream bytes = OtherBundle.class.getResourceAsStream(DEFAULT + "bundle.json")) {
            String description = new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(description).contains("\"id\": \"everyday\"", "\"defaultThreshold\": 0.23", "\"maxTokens\": 64");
            Files.writeString(
                    folder.resolve("bundle.json"),
                    description
                            .replace("\"id\": \"everyday\"", "\"id\": \"" + ID + "\"")
                            .replaceFirst("\"generation\": \\d+", "\"generation\": " + GENERATION)
                            // another threshold, so that every tag differs, and another text fingerprint
                            .replace("\"defaultThreshold\": 0.23", "\"defaultThreshold\": 0.22")
                            .replace("\"maxTokens\": 64", "\"maxTokens\": 63"));
        }
        return folder;
    }
}
