/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * What a loaded model is, and the values that callers need of it.
 *
 * @param id the bundle's id
 * @param version the bundle's version with execution provider and precision, such as {@code 1.0.0+cpu.fp32}: scores of
 *     equal versions agree within 1e-3
 * @param generation grows with every release of the same id; work once done by a generation is never done by an older
 *     one
 * @param textFingerprint SHA-256 over everything a label's vector depends on, 64 hexadecimal digits
 * @param embeddingSize D, the length of a label's vector
 * @param defaultThreshold the score in [0, 1] from which a tag is emitted where its label has no threshold
 * @param topK at most so many tags an image
 * @param featureBytes the size of an image's {@link ImageFeatures}
 * @param candidateCutoff how promising a label must be for an image to be a candidate, in standard deviations of its
 *     cosine ({@link LabelSelection.Kind#CANDIDATES})
 */
public record ModelDescription(
        String id,
        String version,
        long generation,
        String textFingerprint,
        int embeddingSize,
        double defaultThreshold,
        int topK,
        int featureBytes,
        double candidateCutoff) {}
