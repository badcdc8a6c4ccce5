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
}
