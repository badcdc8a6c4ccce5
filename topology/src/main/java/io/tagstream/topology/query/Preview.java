/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

import java.util.Comparator;
import java.util.List;

/**
 * What a label would do.
 *
 * @param knownImages images that were scored for it
 * @param unknownImages images for which too little is kept to score them
 * @param emittedFrom the score from which images would get the tag, in [0, 1]
 * @param thresholds how many images match at each of several thresholds, ascending; {@code emittedFrom} is one of them
 * @param best the images with the highest scores, best first
 */
public record Preview(
        long knownImages, long unknownImages, double emittedFrom, List<Matches> thresholds, List<ScoredImage> best) {
    public Preview {
        thresholds = List.copyOf(thresholds);
        best = List.copyOf(best);
    }

    /**
     * The number of images at a threshold.
     *
     * @param threshold a score in [0, 1]
     * @param images how many images have this score or a higher one
     */
    public record Matches(double threshold, long images) {}

    /**
     * An image's score for the label.
     *
     * @param score in [0, 1]
     */
    public record ScoredImage(String imageId, String uri, double score) {
        /** The highest score first; for equal scores, the lowest id first. */
        public static final Comparator<ScoredImage> BEST_FIRST =
                Comparator.comparingDouble(ScoredImage::score).reversed().thenComparing(ScoredImage::imageId);
    }
}
