/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.Priority;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A job that scores images again from their features, part by part.
 *
 * <p><i>Threading notes.</i> One inference thread at a time takes parts; any thread may cancel the future. Whichever ends
 * the job frees its room, once.
 */
final class Rescoring {
    final LabelVectors labels;
    final Priority priority;
    final CompletableFuture<float[][]> future = new CompletableFuture<>();

    private final List<ImageFeatures> images;
    private final Runnable freeRoom;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final List<float[]> scores = new ArrayList<>();
    private boolean triedAgain;

    /** {@code freeRoom} runs once; unless the future is cancelled, before it completes. */
    Rescoring(List<ImageFeatures> images, LabelVectors labels, Priority priority, Runnable freeRoom) {
        this.images = List.copyOf(images);
        this.labels = labels;
        this.priority = priority;
        this.freeRoom = freeRoom;
    }

    /** The next images to score, at most {@code most}. */
    List<ImageFeatures> part(int most) {
        return images.subList(scores.size(), Math.min(images.size(), scores.size() + most));
    }

    /** Adds the scores of a part. The last part completes the job. */
    void add(float[][] part) {
        scores.addAll(List.of(part));
        if (isComplete()) {
            end();
            future.complete(scores.toArray(float[][]::new));
        }
    }

    /** Whether a part that failed may be tried once more; only the first one may. */
    boolean mayTryAgain() {
        boolean first = !triedAgain;
        triedAgain = true;
        return first;
    }

    boolean isComplete() {
        return scores.size() == images.size();
    }

    void fail(ImageException failure) {
        end();
        future.completeExceptionally(failure);
    }

    /** Frees its room. */
    void end() {
        if (ended.compareAndSet(false, true)) {
            freeRoom.run();
        }
    }
}
