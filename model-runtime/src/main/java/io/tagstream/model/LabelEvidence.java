/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * What speaks for a label on an image.
 *
 * @param score as {@link ImageScores#scores}
 * @param standardisedCosine cosine of image and label, in standard deviations from its mean over the model's reference
 *     embeddings
 * @param promise what decides whether the label is a candidate: its standardised cosine and how common the model takes it
 *     to be
 * @param candidate whether the label is decoded where {@link LabelSelection#CANDIDATES} are: its promise
 *     reaches {@link ModelDescription#candidateCutoff}
 */
public record LabelEvidence(float score, float standardisedCosine, float promise, boolean candidate) {}
