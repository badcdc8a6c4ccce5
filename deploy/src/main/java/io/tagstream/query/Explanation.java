/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.query;

import java.time.Instant;
import java.util.List;

/**
 * Why an image has the tags that it has.
 *
 * @param sha256 of its bytes, 64 lower-case hexadecimal digits
 * @param modelId the model that computed the scores
 * @param modelVersion its version
 * @param vocabularyEpoch the vocabulary that the tags follow
 * @param labels every label of the vocabulary, highest score first
 * @param history what happened to its tags, newest first, as far back as is kept
 */
public record Explanation(
        String imageId,
        String uri,
        String sha256,
        String modelId,
        String modelVersion,
        long vocabularyEpoch,
        List<LabelScore> labels,
        List<TagHistory> history) {
    public Explanation {
        labels = List.copyOf(labels);
        history = List.copyOf(history);
    }

    /**
     * A label and the image.
     *
     * @param score in [0, 1]; null where the label was no candidate and so was never scored
     * @param threshold the score from which the label is emitted
     * @param active whether the label is emitted at all; false for one that is only tried
     * @param prompts the texts that stand for the label, as they were encoded
     * @param candidate whether the label was scored
     * @param standardisedCosine by how many deviations the image is more like the label than images usually are; null
     *     where it was not needed
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
            Double standardisedCosine,
            boolean emitted) {
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
     * A tag that came or went.
     *
     * @param cause why, as in tag events
     * @param vocabularyEpoch the vocabulary under which it did
     * @param at when
     * @param score the score that it had then, in [0, 1]; null where it is not known
     */
    public record TagHistory(
            String labelId, String name, Change change, String cause, long vocabularyEpoch, Instant at, Double score) {}
}
