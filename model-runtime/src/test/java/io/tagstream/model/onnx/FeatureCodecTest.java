/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tagstream.model.ImageFeatures;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FeatureCodecTest {
    private static final Image IMAGE = new Image("encoder", "0", 32, Resize.SQUASH, 5, 3, 4);
    private static final int TOKEN_FLOATS = 15;
    private static final int EMBEDDING_FLOATS = 4;
    /** A half has a significand of 11 bits. */
    private static final float HALF_PRECISION = 1f / 2048;

    private final FeatureCodec codec = new FeatureCodec(IMAGE, true);
    private final FloatBuffer embeddings = noise(2 * EMBEDDING_FLOATS);
    private final FloatBuffer tokens = noise(2 * TOKEN_FLOATS);

    @Test
    void shouldKeepEveryRowToHalfPrecision() {
        FloatBuffer loadedEmbeddings = FloatBuffer.allocate(2 * EMBEDDING_FLOATS);
        FloatBuffer loadedTokens = FloatBuffer.allocate(2 * TOKEN_FLOATS);
        for (int row = 0; row < 2; row++) {
            // into the other row, to see that rows are told apart
            codec.load(codec.round(embeddings, tokens, row), loadedEmbeddings, loadedTokens, 1 - row);
        }
        for (int i = 0; i < 2 * EMBEDDING_FLOATS; i++) {
            float expected = embeddings.get((i + EMBEDDING_FLOATS) % (2 * EMBEDDING_FLOATS));
            assertThat(loadedEmbeddings.get(i)).isCloseTo(expected, within(Math.abs(expected) * HALF_PRECISION));
        }
        for (int i = 0; i < 2 * TOKEN_FLOATS; i++) {
            float expected = tokens.get((i + TOKEN_FLOATS) % (2 * TOKEN_FLOATS));
            assertThat(loadedTokens.get(i)).isCloseTo(expected, within(Math.abs(expected) * HALF_PRECISION));
        }
    }

    @Test
    void shouldNotRoundTwice() {
        ImageFeatures once = codec.round(embeddings, tokens, 1);
        FloatBuffer loadedEmbeddings = FloatBuffer.allocate(EMBEDDING_FLOATS);
        FloatBuffer loadedTokens = FloatBuffer.allocate(TOKEN_FLOATS);
        codec.load(once, loadedEmbeddings, loadedTokens, 0);
        assertThat(codec.round(loadedEmbeddings, loadedTokens, 0).bytes()).isEqualTo(once.bytes());
    }

    @Test
    void shouldKeepTheEmbeddingFirstAndLittleEndian() {
        FloatBuffer ones = FloatBuffer.wrap(new float[] {1, -2, 0.5f, 0});
        byte[] bytes = codec.round(ones, tokens, 0).bytes();
        assertThat(bytes).hasSize(2 * (EMBEDDING_FLOATS + TOKEN_FLOATS)).hasSize(codec.bytes());
        assertThat(bytes).startsWith(0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0x00, 0x00);
    }

    @Test
    void shouldKeepTheEmbeddingAloneWhereThereIsNoDecoder() {
        FeatureCodec without = new FeatureCodec(IMAGE, false);
        assertThat(without.round(embeddings, FloatBuffer.allocate(0), 1).bytes())
                .hasSize(2 * EMBEDDING_FLOATS)
                .hasSize(without.bytes());
    }

    @Test
    void shouldRefuseFeaturesOfAnotherLength() {
        ImageFeatures foreign = new ImageFeatures(new byte[10]);
        assertThatThrownBy(() -> codec.load(foreign, embeddings, tokens, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("features of 10 bytes are not this model's, which have 38");
    }

    private static FloatBuffer noise(int count) {
        Random random = new Random(count);
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return FloatBuffer.wrap(floats);
    }
}
