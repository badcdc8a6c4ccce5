/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.platform.Fp16Conversions;
import io.tagstream.model.ImageFeatures;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A scorer's images as the graphs give and take them, and their {@link ImageFeatures}: embedding [D], then tokens [T, W] if
 * the bundle has a decoder, in half precision (IEEE 754 binary16), little-endian.
 *
 * <p><i>Threading notes.</i> One thread at a time.
 */
final class FeatureRows {
    private final int embeddingFloats;
    private final int bytes;
    /** [rows, D], rounded to half precision except between {@link #toBeWritten} and {@link #take}. */
    private final FloatBuffer embeddings;

    private final Optional<TokenRows> tokens;
    /** Whose features a row has, to copy none that are there already; null if unknown. */
    private final byte[][] held;

    FeatureRows(Sessions sessions, int rows) {
        this.embeddingFloats = sessions.description().image().embeddingSize();
        this.bytes = sessions.description().featureBytes();
        this.embeddings = ByteBuffer.allocateDirect(Float.BYTES * rows * embeddingFloats)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        this.tokens = sessions.description().decoder().map(decoder -> new TokenRows(sessions, rows));
        this.held = new byte[rows][];
    }

    /** The image encoder is about to write rows. */
    void toBeWritten() {
        Arrays.fill(held, null);
    }

    /** [rows, D], for the image encoder to write. */
    FloatBuffer embeddings() {
        return embeddings;
    }

    /** Empty without a decoder. */
    Optional<TokenRows> tokens() {
        return tokens;
    }

    /**
     * Rounds the first rows, which the image encoder has written, to half precision, ties to even, and returns their
     * features.
     */
    List<ImageFeatures> take(int images) throws OrtException {
        if (tokens.isPresent()) {
            tokens.get().written(images);
        }
        List<ImageFeatures> features = new ArrayList<>(images);
        for (int row = 0; row < images; row++) {
            byte[] rounded = new byte[bytes];
            roundEmbedding(row, rounded);
            if (tokens.isPresent()) {
                tokens.get().get(row, rounded, Short.BYTES * embeddingFloats);
            }
            held[row] = rounded;
            features.add(new ImageFeatures(rounded));
        }
        return features;
    }

    /**
     * Makes images the first rows.
     *
     * @throws IllegalArgumentException if their features are not as long as this model's
     */
    void load(List<ImageFeatures> images) throws OrtException {
        for (int row = 0; row < images.size(); row++) {
            ImageFeatures features = images.get(row);
            if (held[row] != features.bytes()) {
                load(features, row);
            }
        }
        if (tokens.isPresent()) {
            tokens.get().toBeRead(images.size());
        }
    }

    private void load(ImageFeatures features, int row) {
        if (features.bytes().length != bytes) {
            throw new IllegalArgumentException("features of %d bytes are not this model's, which have %d"
                    .formatted(features.bytes().length, bytes));
        }
        ByteBuffer rounded = ByteBuffer.wrap(features.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[embeddingFloats];
        for (int i = 0; i < embeddingFloats; i++) {
            floats[i] = Fp16Conversions.fp16ToFloat(rounded.getShort());
        }
        embeddings.put(row * embeddingFloats, floats);
        tokens.ifPresent(of -> of.put(row, features.bytes(), Short.BYTES * embeddingFloats));
        held[row] = features.bytes();
    }

    private void roundEmbedding(int row, byte[] target) {
        ByteBuffer rounded = ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN);
        // through an array: a loop over the floats of a direct buffer takes several times as long
        float[] floats = new float[embeddingFloats];
        embeddings.get(row * embeddingFloats, floats);
        for (int i = 0; i < embeddingFloats; i++) {
            short half = Fp16Conversions.floatToFp16(floats[i]);
            rounded.putShort(half);
            floats[i] = Fp16Conversions.fp16ToFloat(half);
        }
        embeddings.put(row * embeddingFloats, floats);
    }
}
