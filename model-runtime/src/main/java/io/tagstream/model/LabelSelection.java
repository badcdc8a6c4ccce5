/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * Which labels of a vocabulary an image is decoded against; the others' scores are {@link ImageScores#NOT_DECODED}. A model
 * without a decoder chooses the same way, though it gains nothing by it.
 *
 * @param kind how they are chosen
 * @param count how many of them; 0 unless kind is {@link Kind#TOP}
 */
public record LabelSelection(Kind kind, int count) {
    /** All labels. */
    public static final LabelSelection ALL = new LabelSelection(Kind.ALL, 0);

    /** Candidates alone. */
    public static final LabelSelection CANDIDATES = new LabelSelection(Kind.CANDIDATES, 0);

    /** How labels are chosen. */
    public enum Kind {
        /** Every label. */
        ALL,
        /**
         * Labels that are promising enough for the image: their cosine, standardised over the model's reference
         * embeddings, plus the model's share of how common it takes the label to be, reaches its cutoff. That depends on
         * image and label alone: whether a label is a candidate does not change with the other labels.
         */
        CANDIDATES,
        /** The most promising ones. Approximate: a new label may push another one out. */
        TOP
    }

    /**
     * The {@code count} labels that are most promising for an image.
     *
     * @throws IllegalArgumentException if that is less than 1
     */
    public static LabelSelection top(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("A selection needs a label at least, not " + count);
        }
        return new LabelSelection(Kind.TOP, count);
    }

    /** Whether a label's score depends on image and label alone. */
    public boolean exact() {
        return kind != Kind.TOP;
    }

    /** {@code all}, {@code candidates} or {@code top-N}. */
    @Override
    public String toString() {
        return switch (kind) {
            case ALL -> "all";
            case CANDIDATES -> "candidates";
            case TOP -> "top-" + count;
        };
    }
}
