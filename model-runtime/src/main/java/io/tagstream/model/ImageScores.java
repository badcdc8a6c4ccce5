/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * An image's scores.
 *
 * @param labels the labels it was scored against
 * @param scores a calibrated score in [0, 1] or {@link #NOT_DECODED} for each label, in the labels' order; do not
 *     change them
 * @param features what the scores were computed from
 * @param sha256 SHA-256 of the image's bytes, 64 lower-case hexadecimal digits
 * @param width width in pixels, upright
 * @param height height in pixels, upright
 */
@SuppressWarnings("ArrayRecordComponent") // one array an image, passed on and never shared
public record ImageScores<L extends LabelVectors>(
        L labels, float[] scores, ImageFeatures features, String sha256, int width, int height) {
    /** Stands for the score of a label that was not selected; below every threshold. */
    public static final float NOT_DECODED = -1;
}
