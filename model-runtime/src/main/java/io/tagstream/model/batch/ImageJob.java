/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.KnownImage;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.ImageSize;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An image on its way through the stages. It owns what the image takes: room, bytes, a pixel buffer, an alarm.
 *
 * <p><i>Threading notes.</i> It either waits for a stage or is in one. Whoever ends it, a stage or the canceller, frees
 * what it owns, once. Between {@link #enter} and {@link #leave} only the stage's thread touches it.
 */
final class ImageJob<L extends LabelVectors> {
    private enum State {
        WAITING,
        IN_STAGE,
        ENDED
    }

    final ImageRequest request;
    final Supplier<L> supplier;
    final String source;
    final long submittedAt;
    final CompletableFuture<ImageScores<L>> future = new CompletableFuture<>();

    /** Guarded by the {@link FetchQueue}. */
    boolean inFlight;

    private final Consumer<ImageJob<?>> onEnd;
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private int attempts;
    private ImageException lastFailure;
    private long begunAt;
    private long lapAt;
    private Runnable alarm = () -> {};
    private EncodedImage encoded;
    private String sha256;
    private ImageSize size;
    private ImageFeatures features;
    private ByteBuffer pixels;
    private BlockingQueue<ByteBuffer> pixelsOwner;

    /** {@code onEnd} is called once, before the future completes. */
    ImageJob(ImageRequest request, Supplier<L> supplier, String source, long submittedAt, Consumer<ImageJob<?>> onEnd) {
        this.request = request;
        this.supplier = supplier;
        this.source = source;
        this.submittedAt = submittedAt;
        this.lapAt = submittedAt;
        this.onEnd = onEnd;
    }

    /** Ends a stage, and returns the time since the previous stage ended. */
    long lap(long now) {
        long lap = now - lapAt;
        lapAt = now;
        return lap;
    }

    /** Starts another attempt. */
    void begin(long now) {
        if (attempts == 0) {
            begunAt = now;
        }
        attempts++;
    }

    /** The number of attempts that have begun. */
    int attempts() {
        return attempts;
    }

    /** When the first attempt began. */
    long begunAt() {
        return begunAt;
    }

    /** Why the last attempt failed. */
    ImageException lastFailure() {
        return lastFailure;
    }

    /** Leaves a stage, frees everything and waits for another attempt; false if it was cancelled meanwhile. */
    boolean startOver(ImageException failure) {
        lastFailure = failure;
        features = null;
        releaseEncoded();
        releasePixels();
        return leave();
    }

    /** Replaces the alarm that ends the wait, unless the image has ended. */
    synchronized void alarm(Supplier<Runnable> schedule) {
        if (!ended()) {
            alarm.run();
            alarm = schedule.get();
        }
    }

    boolean ended() {
        return state.get() == State.ENDED;
    }

    /** Enters a stage; false if it was cancelled while it waited. */
    boolean enter() {
        return state.compareAndSet(State.WAITING, State.IN_STAGE);
    }

    /** Leaves a stage and waits for the next; false if it was cancelled meanwhile. */
    boolean leave() {
        state.set(State.WAITING);
        // a canceller that came before the line above saw a stage at work and left the rest to it
        if (future.isDone()) {
            endIfWaiting();
            return false;
        }
        return true;
    }

    /** Frees everything if no stage is working on the image; otherwise that stage does so when it ends. */
    boolean endIfWaiting() {
        if (!state.compareAndSet(State.WAITING, State.ENDED)) {
            return false;
        }
        release();
        return true;
    }

    /** Ends in a stage. */
    void succeed(L labels, float[] scores) {
        ImageScores<L> result = new ImageScores<>(labels, scores, features, sha256, size.width(), size.height());
        endInStage();
        future.complete(result);
    }

    /** Ends in a stage. */
    void fail(ImageException failure) {
        endInStage();
        future.completeExceptionally(failure);
    }

    void fetched(EncodedImage image) {
        encoded = image;
        sha256 = image.sha256();
    }

    EncodedImage encoded() {
        return encoded;
    }

    /** Takes a pixel buffer, which goes back to its owner later. */
    ByteBuffer takePixels(BlockingQueue<ByteBuffer> owner) throws InterruptedException {
        pixels = owner.take();
        pixelsOwner = owner;
        return pixels;
    }

    void decoded(ImageSize decodedSize) {
        size = decodedSize;
        releaseEncoded();
    }

    /** Uses the features of an image with the same bytes: there is nothing to decode or encode. */
    void reuse(KnownImage known) {
        features = known.features();
        decoded(new ImageSize(known.width(), known.height()));
    }

    void encodedAs(ImageFeatures encodedFeatures) {
        features = encodedFeatures;
    }

    /** The image's features; empty until it is encoded, or known. */
    Optional<ImageFeatures> features() {
        return Optional.ofNullable(features);
    }

    /** What saves decoding and encoding another image with the same bytes. */
    KnownImage asKnown() {
        return new KnownImage(sha256, size.width(), size.height(), features);
    }

    ByteBuffer pixels() {
        return pixels;
    }

    void releasePixels() {
        if (pixels != null) {
            pixelsOwner.add(pixels);
            pixels = null;
        }
    }

    private void endInStage() {
        state.set(State.ENDED);
        release();
    }

    private void release() {
        releaseEncoded();
        releasePixels();
        synchronized (this) {
            alarm.run();
            alarm = () -> {};
        }
        onEnd.accept(this);
    }

    private void releaseEncoded() {
        if (encoded != null) {
            encoded.close();
            encoded = null;
        }
    }
}
