/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares bundles that the training kit exported from an open_clip and a transformers checkpoint with the scores that
 * PyTorch computed from the checkpoints. {@code training/tests/make_runtime_bundles.py} writes them.
 */
class ExportedBundleTest {
    private static final float AGREEMENT = 1e-3f;

    @ParameterizedTest
    @ValueSource(strings = {"clip", "patches", "siglip"})
    void shouldScoreAsPyTorchDoes(String name) throws Exception {
        Bundle bundle = Bundle.load("classpath:io/tagstream/bundles/" + name);
        JsonNode expected = expected(name);
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(bundle).build();
                ImageScorer scorer = runtime.scorer()) {
            List<LabelVector> vectors = new ArrayList<>();
            for (JsonNode label : expected.get("labels")) {
                vectors.add(runtime.encodeLabel(new LabelText(label.asText(), List.of())));
            }
            ByteBuffer pixels = bundle.selfTestPixels();
            JsonNode scores = expected.get("scores");
            for (int image = 0; image < scores.size(); image++) {
                scorer.pixels(image).put(pixels.slice(image * scorer.pixelBytes(), scorer.pixelBytes()));
            }
            float[][] found = scorer.score(scores.size(), new DirectLabelVectors(vectors));
            for (int image = 0; image < scores.size(); image++) {
                for (int label = 0; label < vectors.size(); label++) {
                    assertThat(found[image][label])
                            .as("image %d, %s", image, expected.get("labels").get(label))
                            .isCloseTo((float) scores.get(image).get(label).asDouble(), within(AGREEMENT));
                }
            }
        }
    }

    private static JsonNode expected(String name) throws IOException {
        try (InputStream in =
                ExportedBundleTest.class.getResourceAsStream("/io/tagstream/bundles/" + name + "/expected.json")) {
            return new JsonMapper().readTree(in);
        }
    }
}
