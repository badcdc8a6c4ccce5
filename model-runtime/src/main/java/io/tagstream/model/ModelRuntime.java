/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * One model, loaded once per process and shared by every caller: images in, scores out.
 *
 * <p><i>Threading notes.</i> All methods may be called from any thread. {@link #trySubmit} and {@link #tryScore} never
 * block. Futures complete on the runtime's own threads: callbacks must hand their work to another thread and return at
 * once.
 */
public interface ModelRuntime extends AutoCloseable {
    /** What the model is, and the values that callers need. */
    ModelDescription description();

    /**
     * Encodes a label's text. Blocks for a few milliseconds per prompt.
     *
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    LabelVector encodeLabel(LabelText text) throws LabelTextException;

    /**
     * Fetches, decodes and scores an image, if the runtime has room for it. If the image fails for a reason that may
     * pass ({@link FailureReason#retryable}), the runtime tries it again within its limits; in the end it fails with
     * the last attempt's failure.
     *
     * <p>{@code labels} is called once, when the image's batch is scored, and the result holds what it returned. All
     * images of a batch that came with the same supplier share one call.
     *
     * <p>The room of an image is free again before its future completes. Cancelling the future frees the room as soon
     * as the image's current stage ends. Whatever is wrong with the image, the future fails with {@link ImageException}
     * and nothing else. Closing the runtime cancels it.
     *
     * @return empty if there is no room now; there may be room as soon as an image in flight completes
     */
    <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels);

    /**
     * Scores images again from their kept features, all of them or none, if the runtime has room for them.
     *
     * <p>Room, cancelling and closing work as with {@link #trySubmit}. If features are not this model's, the future
     * fails with {@link ImageException} and {@link FailureReason#MODEL_ERROR}.
     *
     * @param images at least one
     * @param priority whether they wait for fresh images
     * @return [images][labels] scores as in {@link ImageScores#scores}; empty if there is no room now
     */
    Optional<CompletableFuture<float[][]>> tryScore(List<ImageFeatures> images, LabelVectors labels, Priority priority);

    /**
     * Gives the evidence for each label on an image, with every label decoded. Blocks for about as long as scoring an
     * image takes.
     *
     * @return the evidence, in the labels' order
     * @throws ImageException if the features are not this model's, or the model fails
     */
    List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) throws ImageException;

    /**
     * Whether the model cannot keep up for the moment: a whole batch of fresh images waits for it, so an image that is
     * submitted now has to wait for at least one other batch.
     */
    boolean isSaturated();

    /** The longest that an image may be worked on before it fails, its wait for its source not included. */
    default Duration longestImage() {
        return Duration.ZERO;
    }

    /** The devices that run the model, and whether they work; empty if it does not say. */
    default List<DeviceState> devices() {
        return List.of();
    }

    /** Ends the runtime in order: cancels what is in flight, joins the threads, frees native memory. */
    @Override
    void close();
}
