/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The laboratory's model on paper: an image is a text of words, a label's vector is derived from its name, and an image
 * has a label if the label's name is among its words. Scores are exact, so outcomes can be predicted.
 */
final class Words {
    static final int EMBEDDING_SIZE = 4;
    static final float HAS_LABEL = 1;
    static final float HAS_NOT = 0.25f;
    static final double DEFAULT_THRESHOLD = 0.5;
    static final int TOP_K = 4;

    /** The content of an image that does not decode. */
    static final String CORRUPT = "!corrupt";

    private Words() {}

    static byte[] image(List<String> words) {
        return String.join("+", words).getBytes(StandardCharsets.UTF_8);
    }

    static List<String> of(byte[] image) {
        return List.of(new String(image, StandardCharsets.UTF_8).split("[+]", -1));
    }

    static float[] vector(String name) {
        Random random = new Random(name.hashCode());
        float[] vector = new float[EMBEDDING_SIZE];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = random.nextFloat();
        }
        return vector;
    }

    /** An image's score for the label with this vector. */
    static float score(List<String> words, float[] label) {
        return words.stream().anyMatch(word -> Arrays.equals(vector(word), label)) ? HAS_LABEL : HAS_NOT;
    }
}
