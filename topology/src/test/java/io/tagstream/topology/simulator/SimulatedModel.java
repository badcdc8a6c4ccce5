/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.model.Priority;
import io.tagstream.topology.FakeModelRuntime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The fake model behind a queue: whoever drives it decides which work is scored or lands next, in any order, and what
 * fails.
 */
final class SimulatedModel implements ModelRuntime {
    private final FakeModelRuntime arithmetic;
    private final int room;
    private final List<Work<?>> queue = new ArrayList<>();

    /** @param room how many images and groups it takes at a time */
    SimulatedModel(ModelDescription description, int room) {
        this.arithmetic = FakeModelRuntime.manual(description, 1);
        this.room = room;
    }

    /** An image or a group of known images: first scored, then handed back. */
    private static final class Work<T> {
        private final CompletableFuture<T> promised = new CompletableFuture<>();
        private final Supplier<CompletableFuture<T>> score;
        private CompletableFuture<T> scored;

        Work(Supplier<CompletableFuture<T>> score) {
            this.score = score;
        }

        void score() {
            if (scored == null) {
                scored = score.get();
            }
        }

        void land() {
            score();
            var unused = scored.whenComplete((result, thrown) -> {
                if (thrown == null) {
                    promised.complete(result);
                } else {
                    promised.completeExceptionally(thrown);
                }
            });
        }
    }

    /** How much work is waiting. */
    int waiting() {
        queue.removeIf(work -> work.promised.isDone()); // cancelled
        return queue.size();
    }

    /** Scores some work under the vocabulary of now; it lands later. */
    void score(int place) {
        queue.get(place).score();
    }

    /** Completes some work. */
    void land(int place) {
        queue.remove(place).land();
    }

    /** Fails some work, as a fetch does that times out. */
    void fail(int place) {
        queue.remove(place)
                .promised
                .completeExceptionally(new ImageException(FailureReason.FETCH_TIMEOUT, "The host did not answer"));
    }

    private <T> Optional<CompletableFuture<T>> enqueue(Supplier<CompletableFuture<T>> score) {
        if (waiting() >= room) {
            return Optional.empty();
        }
        Work<T> work = new Work<>(score);
        queue.add(work);
        return Optional.of(work.promised);
    }

    @Override
    public ModelDescription description() {
        return arithmetic.description();
    }

    @Override
    public LabelVector encodeLabel(LabelText text) throws LabelTextException {
        return arithmetic.encodeLabel(text);
    }

    @Override
    public boolean isSaturated() {
        return false;
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        return enqueue(() -> {
            CompletableFuture<ImageScores<L>> scored =
                    arithmetic.trySubmit(request, labels).orElseThrow();
            arithmetic.complete(1);
            return scored;
        });
    }

    @Override
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        return enqueue(() -> arithmetic.tryScore(images, labels, priority).orElseThrow());
    }

    @Override
    public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) {
        return arithmetic.explain(image, labels);
    }

    @Override
    public void close() {
        queue.clear();
    }
}
