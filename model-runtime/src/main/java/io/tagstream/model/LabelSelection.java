/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * Which labels of a vocabulary an image is decoded against; the others' scores are {@link ImageScores#NOT_DECODED}. A
 * model without a decoder selects in the same way, although it saves nothing.
 *
 * @param kind how labels are selected
 * @param count how many labels are selected; 0 unless kind is {@link Kind#TOP}
 */
public record LabelSelection(Kind kind, int count) {
    /** All labels. */
    public static final LabelSelection ALL = new LabelSelection(Kind.ALL, 0);

    /** Only the candidates. */
    public static final LabelSelection CANDIDATES = new LabelSelection(Kind.CANDIDATES, 0);

    /** How labels are selected. */
    public enum Kind {
        /** Every label. */
        ALL,
        /**
         * Labels that are promising enough for the image: their cosine, standardised over the model's reference
         * embeddings, plus a share of how common the model expects the label to be, reaches the model's cutoff. This
         * depends only on image and label: other labels do not change whether a label is a candidate.
         */
        CANDIDATES,
        /** The most promising labels. This is approximate: a new label may push out another. */
        TOP
    }

    /**
     * The {@code count} labels that are most promising for an image.
     *
     * @throws IllegalArgumentException if {@code count} is less than 1
     */
    public static LabelSelection top(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("A selection needs at least 1 label, not " + count);
        }
        return new LabelSelection(Kind.TOP, count);
    }

    /** Whether a label's score depends only on image and label. */
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
