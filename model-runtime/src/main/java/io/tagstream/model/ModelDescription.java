/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * What a loaded model is, and the values that callers need.
 *
 * @param id the bundle's id
 * @param version the bundle's version with execution provider and precision, such as {@code 1.0.0+cpu.fp32}: scores of
 *     equal versions agree within 1e-3
 * @param generation grows with every release of the same id
 * @param textFingerprint SHA-256 of everything that a label's vector depends on, 64 hexadecimal digits
 * @param embeddingSize D, the length of a label's vector
 * @param defaultThreshold the score in [0, 1] from which a tag is emitted if its label has no threshold
 * @param topK the most tags of an image
 * @param featureBytes the size of an image's {@link ImageFeatures}
 * @param candidateCutoff how promising a label must be for an image to be its candidate, in standard deviations of the
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
        double candidateCutoff) {
    /** The bundle's own version, the same wherever it runs. */
    public String bundleVersion() {
        int plus = version.lastIndexOf('+');
        return plus < 0 ? version : version.substring(0, plus);
    }

    /** A builder; every value must be given. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds a {@link ModelDescription}. */
    public static final class Builder {
        private String id;
        private String version;
        private long generation;
        private String textFingerprint;
        private int embeddingSize;
        private double defaultThreshold;
        private int topK;
        private int featureBytes;
        private double candidateCutoff;

        private Builder() {}

        public Builder id(String id) {
            this.id = id;
            return this;
        }

        public Builder version(String version) {
            this.version = version;
            return this;
        }

        public Builder generation(long generation) {
            this.generation = generation;
            return this;
        }

        public Builder textFingerprint(String textFingerprint) {
            this.textFingerprint = textFingerprint;
            return this;
        }

        public Builder embeddingSize(int embeddingSize) {
            this.embeddingSize = embeddingSize;
            return this;
        }

        public Builder defaultThreshold(double defaultThreshold) {
            this.defaultThreshold = defaultThreshold;
            return this;
        }

        public Builder topK(int topK) {
            this.topK = topK;
            return this;
        }

        public Builder featureBytes(int featureBytes) {
            this.featureBytes = featureBytes;
            return this;
        }

        public Builder candidateCutoff(double candidateCutoff) {
            this.candidateCutoff = candidateCutoff;
            return this;
        }

        public ModelDescription build() {
            return new ModelDescription(
                    id,
                    version,
                    generation,
                    textFingerprint,
                    embeddingSize,
                    defaultThreshold,
                    topK,
                    featureBytes,
                    candidateCutoff);
        }
    }
}
