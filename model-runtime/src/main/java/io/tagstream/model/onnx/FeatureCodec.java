/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.platform.Fp16Conversions;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.bundle.BundleDescription.Image;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The layout of {@link ImageFeatures}: embedding [D], then tokens [T, W] if the bundle has a decoder, in half precision
 * (IEEE 754 binary16), little-endian.
 *
 * <p><i>Threading notes.</i> Immutable.
 */
final class FeatureCodec {
    private final int embeddingFloats;
    private final int tokenFloats;

    FeatureCodec(Image image, boolean withTokens) {
        this.embeddingFloats = image.embeddingSize();
        this.tokenFloats = withTokens ? image.tokens() * image.tokenWidth() : 0;
    }

    /** The length of features: 2 (D + T x W). */
    int bytes() {
        return Short.BYTES * (embeddingFloats + tokenFloats);
    }

    /** Rounds row {@code row} of [rows, D] embeddings and [rows, T, W] tokens to half precision, ties to even. */
    ImageFeatures round(FloatBuffer embeddings, FloatBuffer tokens, int row) {
        ByteBuffer rounded = ByteBuffer.allocate(bytes()).order(ByteOrder.LITTLE_ENDIAN);
        round(embeddings, row * embeddingFloats, embeddingFloats, rounded);
        round(tokens, row * tokenFloats, tokenFloats, rounded);
        return new ImageFeatures(rounded.array());
    }

    /**
     * Writes features to row {@code row} of [rows, D] embeddings and [rows, T, W] tokens.
     *
     * @throws IllegalArgumentException if they are not {@link #bytes} long
     */
    void load(ImageFeatures features, FloatBuffer embeddings, FloatBuffer tokens, int row) {
        if (features.bytes().length != bytes()) {
            throw new IllegalArgumentException("features of %d bytes are not this model's, which have %d"
                    .formatted(features.bytes().length, bytes()));
        }
        ByteBuffer rounded = ByteBuffer.wrap(features.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        load(rounded, embeddings, row * embeddingFloats, embeddingFloats);
        load(rounded, tokens, row * tokenFloats, tokenFloats);
    }

    // through arrays: a loop over the floats of a direct buffer takes several times as long

    private static void round(FloatBuffer from, int first, int count, ByteBuffer to) {
        float[] floats = new float[count];
        from.get(first, floats);
        for (float value : floats) {
            to.putShort(Fp16Conversions.floatToFp16(value));
        }
    }

    private static void load(ByteBuffer from, FloatBuffer to, int first, int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = Fp16Conversions.fp16ToFloat(from.getShort());
        }
        to.put(first, floats);
    }
}
