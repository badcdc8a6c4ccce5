/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * The evidence for a label on an image.
 *
 * @param score as in {@link ImageScores#scores}
 * @param standardisedCosine cosine of image and label, in standard deviations from its mean over the model's reference
 *     embeddings
 * @param promise what decides whether the label is a candidate: its standardised cosine, and how common the model
 *     expects it to be
 * @param candidate whether {@link LabelSelection#CANDIDATES} includes the label: its promise reaches
 *     {@link ModelDescription#candidateCutoff}
 */
public record LabelEvidence(float score, float standardisedCosine, float promise, boolean candidate) {}
