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
 * has a label if the label's name is among its words. Scores are exact, so outcomes can be predicted. Each release of the
 * model gives the labels that an image has another score.
 */
final class Words {
    static final int EMBEDDING_SIZE = 4;
    /** The score of a label that an image has, by the first release. */
    static final float HAS_LABEL = 1;

    private static final float LESS_BY_RELEASE = 0.125f;
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

    /** The score of a label that an image has; releases count from 1. */
    static float hasLabel(int release) {
        return HAS_LABEL - (release - 1) * LESS_BY_RELEASE;
    }

    /** An image's score for the label with this vector. */
    static float score(List<String> words, float[] label, int release) {
        return words.stream().anyMatch(word -> Arrays.equals(vector(word), label)) ? hasLabel(release) : HAS_NOT;
    }
}
