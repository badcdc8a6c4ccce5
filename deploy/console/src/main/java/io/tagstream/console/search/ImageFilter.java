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
 * Which images are wanted: those that meet every condition.
 *
 * @param labels ids or names of labels that the image must all have
 * @param minScore the score in [0, 1] that each of them must have, or, without labels, any tag
 * @param since when the image must have been tagged, or later
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

    /** The same with other words. */
    public ImageFilter withText(Optional<String> words) {
        return new ImageFilter(labels, minScore, since, words);
    }
}
