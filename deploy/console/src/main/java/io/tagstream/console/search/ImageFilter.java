/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Selects the images that meet every condition.
 *
 * @param labels ids or names of labels; the image must have all of them
 * @param minScore the lowest score in [0, 1] that each of these labels may have; without labels, at least one tag must
 *     reach it
 * @param since the earliest time at which the image may have been tagged
 * @param text words that must be found
 */
public record ImageFilter(
        List<String> labels, OptionalDouble minScore, Optional<Instant> since, Optional<String> text) {
    /** All images. */
    public static final ImageFilter NONE =
            new ImageFilter(List.of(), OptionalDouble.empty(), Optional.empty(), Optional.empty());

    public ImageFilter {
        labels = List.copyOf(labels);
    }

    /** The same filter with other words. */
    public ImageFilter withText(Optional<String> words) {
        return new ImageFilter(labels, minScore, since, words);
    }
}
