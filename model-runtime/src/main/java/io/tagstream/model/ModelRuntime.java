/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * One model, loaded once per process and shared by every caller: images in, scores out.
 *
 * <p><i>Threading notes.</i> All methods may be called from any thread. {@link #trySubmit} and
 * {@link #tryScore} never block. Futures
 * complete on the runtime's own threads: whoever hangs work on them must hand it over and return at once.
 */
public interface ModelRuntime extends AutoCloseable {
    /** What the model is, and the values that callers need of it. */
    ModelDescription description();

    /**
     * Encodes a label's text. Blocks for some milliseconds a prompt.
     *
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    LabelVector encodeLabel(LabelText text) throws LabelTextException;

    /**
     * Fetches, decodes and scores an image, unless the runtime has no room for another. What fails for a reason that may
     * pass ({@link FailureReason#retryable}) is tried again within the runtime's limits, and fails with the last attempt's
     * failure.
     *
     * <p>{@code labels} is asked once, when the image's batch is scored, and the result carries its answer. All images
     * of a batch that came with the same supplier are scored with one answer.
     *
     * <p>The room an image takes is free again before its future completes. Cancelling the future frees it as soon as
     * the stage that the image is in has ended. The future fails with {@link ImageException} for everything that is
     * wrong with the image, and with nothing else; closing the runtime cancels it.
     *
     * @return empty if there is no room now; there may be again as soon as any image in flight has completed
     */
    <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels);

    /**
     * Scores images again from what was kept of them, all of them or none, unless the runtime has no room for them.
     *
     * <p>Room, cancelling and closing are as with {@link #trySubmit}. The future fails with {@link ImageException} of
     * {@link FailureReason#MODEL_ERROR} where features are not this model's.
     *
     * @param images at least one
     * @param priority whether they wait for fresh images
     * @return [images][labels] scores as {@link ImageScores#scores}; empty if there is no room now
     */
    Optional<CompletableFuture<float[][]>> tryScore(List<ImageFeatures> images, LabelVectors labels, Priority priority);

    /**
     * Says what speaks for each label on an image, every label decoded. Blocks for about as long as an image takes.
     *
     * @return in the labels' order
     * @throws ImageException if the features are not this model's, or the model fails
     */
    List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) throws ImageException;

    /** Ends the runtime in order: what is in flight is cancelled, threads are joined, native memory is freed. */
    @Override
    void close();
}
