/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import java.util.List;
import java.util.Map;

/** Checks that tag events match the bare loop's scores of the same images. Used by one thread. */
final class ScoreCheck {
    private static final double TOLERANCE = 1e-4;

    private final List<String> names;
    private final Map<String, Integer> labels;
    private final float[][] scores;
    private final double threshold;
    private final int topK;
    private long checked;
    private double largestDifference;

    /**
     * @param names the images' names, for messages
     * @param labels the labels' positions in the scores, by label id
     * @param scores the bare loop's scores: [images][labels]
     */
    ScoreCheck(List<String> names, Map<String, Integer> labels, float[][] scores, double threshold, int topK) {
        this.names = names;
        this.labels = labels;
        this.scores = scores;
        this.threshold = threshold;
        this.topK = topK;
    }

    /**
     * Checks the event of an image.
     *
     * @throws OperatorException if the pipeline's result does not match the bare loop's
     */
    void check(int image, TagEvent event) {
        int surely = 0;
        int perhaps = 0;
        for (float score : scores[image]) {
            surely += score >= threshold + TOLERANCE ? 1 : 0;
            perhaps += score >= threshold - TOLERANCE ? 1 : 0;
        }
        int tags = event.getTags().size();
        if (tags < Math.min(topK, surely) || tags > Math.min(topK, perhaps)) {
            throw unlike(
                    image, "%d tags, where the bare loop's scores give %d".formatted(tags, Math.min(topK, surely)));
        }
        for (Tag tag : event.getTags()) {
            Integer place = labels.get(tag.getLabelId());
            if (place == null) {
                throw unlike(image, "a tag \"%s\" that is not one of the labels".formatted(tag.getLabelId()));
            }
            double difference = Math.abs(tag.getScore() - scores[image][place]);
            if (difference > TOLERANCE) {
                throw unlike(
                        image,
                        "a score of %s for \"%s\", where the bare loop has %s"
                                .formatted(tag.getScore(), tag.getName(), scores[image][place]));
            }
            largestDifference = Math.max(largestDifference, difference);
        }
        checked++;
    }

    /** The number of events checked. */
    long checked() {
        return checked;
    }

    /** The largest difference between a tag's score and the bare loop's. */
    double largestDifference() {
        return largestDifference;
    }

    private OperatorException unlike(int image, String found) {
        return OperatorException.failed("pipeline and bare loop do not do the same work: the pipeline gives %s %s"
                .formatted(names.get(image), found));
    }
}
