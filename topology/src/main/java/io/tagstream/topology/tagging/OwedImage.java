/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.UndecodedImage;
import java.util.concurrent.CompletableFuture;

/**
 * An accepted image that is owed an outcome.
 *
 * <p><i>Threading notes.</i> Handed from the task's stream thread to a thread of the runtime when scoring ends, and back
 * with the {@link Generation}'s queue of completions.
 */
final class OwedImage {
    private final long sequence;
    private final String imageId;
    private final long timestamp;
    private final long bytes;
    private final long acceptedAt = System.nanoTime();
    private long lapAt = acceptedAt;

    /** Null once it is decoded. */
    private UndecodedImage undecoded;

    /** Null until it is decoded. */
    private PendingImage image;

    private CompletableFuture<?> scoring;

    /** @param sequence its place in the order of acceptance, its key in the pending store */
    OwedImage(long sequence, PendingImage image) {
        this.sequence = sequence;
        this.imageId = image.getImageId();
        this.timestamp = image.getTimestamp();
        this.bytes =
                image.getReference() == null ? 0 : image.getReference().getUri().length();
        this.image = image;
    }

    /** One that cannot be read before the schema registry answers. */
    OwedImage(long sequence, UndecodedImage undecoded) {
        this.sequence = sequence;
        this.imageId = undecoded.getImageId();
        this.timestamp = undecoded.getTimestamp();
        this.bytes = undecoded.getValue().remaining();
        this.undecoded = undecoded;
    }

    long sequence() {
        return sequence;
    }

    String imageId() {
        return imageId;
    }

    /** The timestamp of its record, milliseconds since the epoch. */
    long timestamp() {
        return timestamp;
    }

    /** Whether it can be read. */
    boolean isDecoded() {
        return image != null;
    }

    /** The record that cannot be read yet; null once it is decoded. */
    UndecodedImage undecoded() {
        return undecoded;
    }

    /** Notes what its record says. */
    void decoded(PendingImage read) {
        image = read;
        undecoded = null;
    }

    /** What its record says; null until it is decoded. */
    PendingImage image() {
        return image;
    }

    /** When it was accepted, or resumed, by {@link System#nanoTime}. */
    long acceptedAt() {
        return acceptedAt;
    }

    /** The size of its URI, which may be a whole image, or of its record if that could not be read at first. */
    long bytes() {
        return bytes;
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
