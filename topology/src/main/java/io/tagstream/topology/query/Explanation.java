/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/**
 * Why an image has the tags that it has.
 *
 * @param sha256 of its bytes, 64 lower-case hexadecimal digits
 * @param modelId the model that computed the scores
 * @param modelVersion its version
 * @param vocabularyEpoch the vocabulary that the tags follow
 * @param stale whether the image could not be brought up to date with that vocabulary, because it could not be read
 *     again
 * @param selection which labels are decoded: all, candidates or top-N
 * @param candidateCutoff the promise from which a label is a candidate
 * @param labels every label of the vocabulary, highest score first
 * @param history how its tags have changed, newest first, as far back as is kept
 */
public record Explanation(
        String imageId,
        String uri,
        String sha256,
        String modelId,
        String modelVersion,
        long vocabularyEpoch,
        boolean stale,
        String selection,
        double candidateCutoff,
        List<LabelScore> labels,
        List<TagHistory> history) {
    public Explanation {
        labels = List.copyOf(labels);
        history = List.copyOf(history);
    }

    /** A builder; what is not given is null, 0, false or empty. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A label's score for the image.
     *
     * @param score in [0, 1]; null if the label was no candidate and so was never scored
     * @param threshold the score from which the label is emitted
     * @param active whether the label is emitted at all; false for a shadow label, which is only scored
     * @param prompts the texts that stand for the label, as they were encoded
     * @param candidate whether the label was scored
     * @param promise decides whether the label is a candidate, by comparison with the cutoff; null if nothing is kept
     *     to compute it from
     * @param standardisedCosine by how many deviations the image is more like the label than images usually are; null
     *     if it was not needed
     * @param emitted whether the image has the tag
     */
    public record LabelScore(
            String labelId,
            String name,
            Double score,
            double threshold,
            boolean active,
            List<String> prompts,
            boolean candidate,
            Double promise,
            Double standardisedCosine,
            boolean emitted) {
        /** The highest score first, labels without a score last; for equal scores, the lowest id first. */
        public static final Comparator<LabelScore> BEST_FIRST = Comparator.comparing(
                        LabelScore::score, Comparator.nullsLast(Comparator.reverseOrder()))
                .thenComparing(LabelScore::labelId);

        public LabelScore {
            prompts = List.copyOf(prompts);
        }

        /** A builder; what is not given is null, 0, false or empty. */
        public static Builder builder() {
            return new Builder();
        }

        /** Builds a {@link LabelScore}. */
        public static final class Builder {
            private String labelId;
            private String name;
            private Double score;
            private double threshold;
            private boolean active;
            private List<String> prompts = List.of();
            private boolean candidate;
            private Double promise;
            private Double standardisedCosine;
            private boolean emitted;

            private Builder() {}

            public Builder labelId(String labelId) {
                this.labelId = labelId;
                return this;
            }

            public Builder name(String name) {
                this.name = name;
                return this;
            }

            public Builder score(Double score) {
                this.score = score;
                return this;
            }

            public Builder threshold(double threshold) {
                this.threshold = threshold;
                return this;
            }

            public Builder active(boolean active) {
                this.active = active;
                return this;
            }

            public Builder prompts(List<String> prompts) {
                this.prompts = prompts;
                return this;
            }

            public Builder candidate(boolean candidate) {
                this.candidate = candidate;
                return this;
            }

            public Builder promise(Double promise) {
                this.promise = promise;
                return this;
            }

            public Builder standardisedCosine(Double standardisedCosine) {
                this.standardisedCosine = standardisedCosine;
                return this;
            }

            public Builder emitted(boolean emitted) {
                this.emitted = emitted;
                return this;
            }

            public LabelScore build() {
                return new LabelScore(
                        labelId,
                        name,
                        score,
                        threshold,
                        active,
                        prompts,
                        candidate,
                        promise,
                        standardisedCosine,
                        emitted);
            }
        }
    }

    /** What happened to a tag. */
    public enum Change {
        ADDED,
        REMOVED
    }

    /**
     * A tag that was added or removed.
     *
     * @param cause why, as in tag events
     * @param vocabularyEpoch the vocabulary at that time
     * @param at when it happened
     * @param score the score at that time, in [0, 1]; null if it is unknown
     */
    public record TagHistory(
            String labelId, String name, Change change, String cause, long vocabularyEpoch, Instant at, Double score) {}

    /** Builds an {@link Explanation}. */
    public static final class Builder {
        private String imageId;
        private String uri;
        private String sha256;
        private String modelId;
        private String modelVersion;
        private long vocabularyEpoch;
        private boolean stale;
        private String selection;
        private double candidateCutoff;
        private List<LabelScore> labels = List.of();
        private List<TagHistory> history = List.of();

        private Builder() {}

        public Builder imageId(String imageId) {
            this.imageId = imageId;
            return this;
        }

        public Builder uri(String uri) {
            this.uri = uri;
            return this;
        }

        public Builder sha256(String sha256) {
            this.sha256 = sha256;
            return this;
        }

        public Builder modelId(String modelId) {
            this.modelId = modelId;
            return this;
        }

        public Builder modelVersion(String modelVersion) {
            this.modelVersion = modelVersion;
            return this;
        }

        public Builder vocabularyEpoch(long vocabularyEpoch) {
            this.vocabularyEpoch = vocabularyEpoch;
            return this;
        }

        public Builder stale(boolean stale) {
            this.stale = stale;
            return this;
        }

        public Builder selection(String selection) {
            this.selection = selection;
            return this;
        }

        public Builder candidateCutoff(double candidateCutoff) {
            this.candidateCutoff = candidateCutoff;
            return this;
        }

        public Builder labels(List<LabelScore> labels) {
            this.labels = labels;
            return this;
        }

        public Builder history(List<TagHistory> history) {
            this.history = history;
            return this;
        }

        public Explanation build() {
            return new Explanation(
                    imageId,
                    uri,
                    sha256,
                    modelId,
                    modelVersion,
                    vocabularyEpoch,
                    stale,
                    selection,
                    candidateCutoff,
                    labels,
                    history);
        }
    }
}
