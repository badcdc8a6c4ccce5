/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * A label as the model sees it.
 *
 * @param vector D floats, unit norm; do not change them
 * @param referenceMean mean of the label's cosine over the bundle's reference embeddings
 * @param referenceDeviation standard deviation of the label's cosine over them, above 0
 */
@SuppressWarnings("ArrayRecordComponent") // a vector is its array, and copying 20,000 of them gains nothing
public record LabelVector(float[] vector, float referenceMean, float referenceDeviation) {}
