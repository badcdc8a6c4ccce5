/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.platform.Fp16Conversions;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.Image;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureRowsTest {
    @ParameterizedTest
    @ValueSource(strings = {TinyBundle.LOCATION, "classpath:io/tagstream/bundles/everyday"})
    void shouldKeepEmbeddingAndTokensRoundedToHalfPrecision(String location) throws Exception {
        Bundle bundle = Bundle.load(location);
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(bundle).inferenceThreads(1).build();
                ImageScorer scorer = runtime.scorer()) {
            TinyBundle.fillWithNoise(scorer.pixels(0), 1);

            byte[] features = scorer.encode(1).get(0).bytes();

            assertThat(features).isEqualTo(roundedOneByOne(bundle, scorer.pixels(0)));
            assertThat(features).hasSize(runtime.description().featureBytes());
        }
    }

    @Test
    void shouldScoreFeaturesTheSameInEveryPlace() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).batchSize(4).build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            for (int i = 0; i < 3; i++) {
                TinyBundle.fillWithNoise(scorer.pixels(i), i);
            }
            List<ImageFeatures> features = scorer.encode(3);

            float[][] fresh = scorer.score(features, labels);
            float[][] moved = scorer.score(List.of(features.get(2), features.get(0), features.get(1)), labels);
            float[][] copied = scorer.score(
                    features.stream()
                            .map(image -> new ImageFeatures(image.bytes().clone()))
                            .toList(),
                    labels);

            assertThat(fresh[0]).isNotEqualTo(fresh[1]);
            assertThat(moved).isDeepEqualTo(new float[][] {fresh[2], fresh[0], fresh[1]});
            assertThat(copied).isDeepEqualTo(fresh);
        }
    }

    @Test
    void shouldNotTakeAnotherBatchForWhatWasThereBefore() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).batchSize(4).build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 20);
            TinyBundle.fillWithNoise(scorer.pixels(0), 1);
            List<ImageFeatures> first = scorer.encode(1);
            float[][] scores = scorer.score(first, labels);

            TinyBundle.fillWithNoise(scorer.pixels(0), 2);
            List<ImageFeatures> second = scorer.encode(1);

            assertThat(scorer.score(first, labels)).isDeepEqualTo(scores);
            assertThat(scorer.score(second, labels)[0]).isNotEqualTo(scores[0]);
        }
    }

    @Test
    void shouldRefuseFeaturesOfAnotherLength() throws Exception {
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(TinyBundle.load()).build();
                ImageScorer scorer = runtime.scorer()) {
            DirectLabelVectors labels = TinyBundle.labels(runtime, 1);

            assertThatThrownBy(() -> scorer.score(List.of(new ImageFeatures(new byte[10])), labels))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("features of 10 bytes are not this model's, which have 288");
        }
    }

    private static byte[] roundedOneByOne(Bundle bundle, ByteBuffer pixels) throws Exception {
        Image image = bundle.description().image();
        ByteBuffer rounded =
                ByteBuffer.allocate(bundle.description().featureBytes()).order(ByteOrder.LITTLE_ENDIAN);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            try (OrtSession session = environment.createSession(bundle.imageEncoder(), options);
                    OnnxTensor input = OnnxTensor.createTensor(
                            environment,
                            pixels.duplicate().order(ByteOrder.nativeOrder()),
                            new long[] {1, image.size(), image.size(), 3},
                            OnnxJavaType.UINT8);
                    OrtSession.Result result = session.run(Map.of("pixels", input))) {
                for (String output : List.of("embedding", "tokens")) {
                    FloatBuffer values = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
                    while (values.hasRemaining()) {
                        rounded.putShort(Fp16Conversions.floatToFp16(values.get()));
                    }
                }
            }
        }
        assertThat(rounded.remaining()).isZero();
        return rounded.array();
    }
}
