/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * A label as the model sees it.
 *
 * @param vector D floats, unit norm; not to be changed
 * @param referenceMean mean of the label's cosine over the bundle's reference embeddings
 * @param referenceDeviation standard deviation of the same, above 0
 */
@SuppressWarnings("ArrayRecordComponent") // a vector is its array; copying 20,000 of them buys nothing
public record LabelVector(float[] vector, float referenceMean, float referenceDeviation) {}
