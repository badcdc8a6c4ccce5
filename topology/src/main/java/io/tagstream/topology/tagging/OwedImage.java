/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.PendingImage;
import java.util.concurrent.CompletableFuture;

/**
 * An accepted image that is owed an outcome.
 *
 * <p><i>Threading notes.</i> Handed from the task's stream thread to a thread of the runtime when scoring ends, and back
 * with the {@link Generation}'s queue of completions.
 */
final class OwedImage {
    private final long sequence;
    private final PendingImage image;
    private final long acceptedAt = System.nanoTime();
    private long lapAt = acceptedAt;
    private CompletableFuture<?> scoring;

    /** @param sequence its place in the order of acceptance, its key in the pending store */
    OwedImage(long sequence, PendingImage image) {
        this.sequence = sequence;
        this.image = image;
    }

    long sequence() {
        return sequence;
    }

    PendingImage image() {
        return image;
    }

    /** When it was accepted, or resumed, by {@link System#nanoTime}. */
    long acceptedAt() {
        return acceptedAt;
    }

    /** The size of its URI, which may be a whole image. */
    long bytes() {
        return image.getReference() == null ? 0 : image.getReference().getUri().length();
    }

    /** Notes the future that scores it now. */
    void scoring(CompletableFuture<?> future) {
        scoring = future;
    }

    /** Whether the runtime accepted it. */
    boolean wasSubmitted() {
        return scoring != null;
    }

    /** Cancels its scoring. */
    void cancel() {
        scoring.cancel(true);
    }

    /** Ends a stage; returns the time since the previous stage ended, in nanoseconds. */
    long lap() {
        long lap = System.nanoTime() - lapAt;
        lapAt += lap;
        return lap;
    }
}
