/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

import java.util.ArrayList;
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
    /** A page shows this many thresholds, and {@code emittedFrom}. */
    private static final int ROWS = 10;

    public Preview {
        thresholds = List.copyOf(thresholds);
        best = List.copyOf(best);
    }

    /**
     * The same preview with the thresholds that tell most: those that at least one image reaches and that differ in their
     * number of images, spread over its orders of magnitude. A rare word's images may all score less than 0.1.
     */
    public Preview summary() {
        List<Matches> different = new ArrayList<>();
        for (int i = 0; i < thresholds.size(); i++) {
            boolean last = i + 1 == thresholds.size();
            if (last || thresholds.get(i).images() != thresholds.get(i + 1).images()) {
                different.add(thresholds.get(i));
            }
        }
        List<Matches> matched =
                different.stream().filter(matches -> matches.images() > 0).toList();
        List<Matches> chosen = spread(matched);
        return new Preview(
                knownImages,
                unknownImages,
                emittedFrom,
                thresholds.stream()
                        .filter(matches -> chosen.contains(matches) || matches.threshold() == emittedFrom)
                        .toList(),
                best);
    }

    /** At most {@link #ROWS} of these, in equal steps of the logarithm of their images, the first and last included. */
    private static List<Matches> spread(List<Matches> rows) {
        if (rows.size() <= ROWS) {
            return rows;
        }
        double most = Math.log((double) rows.get(0).images());
        double step = (most - Math.log((double) rows.get(rows.size() - 1).images())) / (ROWS - 1);
        List<Matches> chosen = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            int needed = ROWS - chosen.size();
            boolean rest = rows.size() - i <= needed;
            if (rest || (needed > 0 && Math.log((double) rows.get(i).images()) <= most - step * chosen.size() + 1e-9)) {
                chosen.add(rows.get(i));
            }
        }
        return chosen;
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
