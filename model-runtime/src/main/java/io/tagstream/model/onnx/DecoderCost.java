/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import io.tagstream.model.bundle.BundleDescription.Decoder;
import io.tagstream.model.bundle.BundleDescription.Image;
import java.util.Optional;

/**
 * Estimates what decoding costs from a bundle's description. The estimate decides how scoring is divided into runs of
 * the decoder, which changes how long it takes but not the scores.
 *
 * <p>The unit is a pair: one image against one label. An ML-Decoder of width W that reads T tokens an image takes about
 * 6 W² + 2 T W multiplications for a pair (two projections, attention, a hidden layer of 2 W), and 2 T W² for an image
 * alone (the keys and values of its tokens); the cosine of a pair takes D. Starting a run costs next to nothing in
 * comparison.
 */
final class DecoderCost {
    /** What two cores can do in about 20 ms. */
    private static final long MULTIPLICATIONS_OF_A_PART = 6L << 28;

    /** With this many images for each added row, added rows are at most a fifth of the work. */
    private static final int IMAGES_FOR_AN_ADDED_ROW = 4;

    private final long pairsOfAnImage;
    private final long pairsOfAPart;
    private final int addedRows;

    DecoderCost(Image image, Optional<Decoder> decoder) {
        long tokens = image.tokens();
        long width = decoder.isPresent() ? image.tokenWidth() : 0;
        long pair = 6 * width * width + 2 * tokens * width + image.embeddingSize();
        this.pairsOfAnImage = 2 * tokens * width * width / pair;
        this.pairsOfAPart = MULTIPLICATIONS_OF_A_PART / pair;
        this.addedRows = decoder.map(Decoder::addedRows).orElse(0);
    }

    /** What a run costs, in pairs. */
    long ofRun(int images, int labels) {
        return (images + addedRows) * (pairsOfAnImage + labels);
    }

    /**
     * How many images to score at a time while others wait: about 20 ms' worth on two cores, but enough that the rows
     * that the graph adds hardly count.
     */
    int imagesPerPart(int labels, int most) {
        long affordable = Math.min(most, pairsOfAPart / (pairsOfAnImage + Math.max(1, labels)));
        return (int) Math.max(Math.max(1, addedRows * IMAGES_FOR_AN_ADDED_ROW), affordable);
    }
}
