/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.nio.FloatBuffer;

/**
 * The vectors of a set of labels: L rows of D floats. Immutable; may be read from any thread.
 *
 * <p>Instances are compared by identity: the runtime keeps what it derives from an instance for as long as it is given
 * that instance.
 */
public interface LabelVectors {
    /** L, the number of labels; may be 0. */
    int size();

    /** A new read-only view of the L x D vectors, row-major, in a direct buffer in native order. */
    FloatBuffer vectors();

    /** Mean of the label's cosine over the reference embeddings. */
    float referenceMean(int label);

    /** Standard deviation of the label's cosine over the reference embeddings, above 0. */
    float referenceDeviation(int label);

    /** Which of the labels an image is decoded against. */
    default LabelSelection selection() {
        return LabelSelection.ALL;
    }
}
