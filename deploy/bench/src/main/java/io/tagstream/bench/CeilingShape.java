/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Whose shapes a bundle without a model has. */
enum CeilingShape {
    /** The bundled model's. */
    EVERYDAY(52, 256, 384),
    /** Those of a CLIP ViT-B/16 with a decoder that is as wide as its tokens. */
    VIT_B16(196, 768, 512);

    private final int tokens;
    private final int tokenWidth;
    private final int embeddingSize;

    CeilingShape(int tokens, int tokenWidth, int embeddingSize) {
        this.tokens = tokens;
        this.tokenWidth = tokenWidth;
        this.embeddingSize = embeddingSize;
    }

    int tokens() {
        return tokens;
    }

    int tokenWidth() {
        return tokenWidth;
    }

    int embeddingSize() {
        return embeddingSize;
    }

    static String names() {
        return Arrays.stream(values()).map(CeilingShape::toString).collect(Collectors.joining(", "));
    }

    /** Its name on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
