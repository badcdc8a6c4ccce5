/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A model that counts what it is asked for, and can hold images: those with the word {@value #HELD} then never
 * complete.
 *
 * <p><i>Threading notes.</i> Safe for use by many threads.
 */
final class WatchedModel implements ModelRuntime {
    static final String HELD = "held";

    private final ModelRuntime model;
    private final boolean holds;
    private final AtomicInteger readAgain = new AtomicInteger();
    private final AtomicInteger encodedLabels = new AtomicInteger();

    WatchedModel(ModelRuntime model, boolean holds) {
        this.model = model;
        this.holds = holds;
    }

    /** How many known images were read again. */
    int readAgain() {
        return readAgain.get();
    }

    /** How many labels were encoded. */
    int encodedLabels() {
        return encodedLabels.get();
    }

    @Override
    public ModelDescription description() {
        return model.description();
    }

    @Override
    public LabelVector encodeLabel(LabelText text) throws LabelTextException {
        LabelVector vector = model.encodeLabel(text);
        encodedLabels.incrementAndGet();
        return vector;
    }

    @Override
    public boolean isSaturated() {
        return model.isSaturated();
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        if (holds && Expectation.of(request.uri()).words().contains(HELD)) {
            return Optional.of(new CompletableFuture<>());
        }
        Optional<CompletableFuture<ImageScores<L>>> scores = model.trySubmit(request, labels);
        if (scores.isPresent() && request.priority() == Priority.BACKGROUND) {
            readAgain.incrementAndGet();
        }
        return scores;
    }

    @Override
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        return model.tryScore(images, labels, priority);
    }

    @Override
    public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) throws ImageException {
        return model.explain(image, labels);
    }

    @Override
    public void close() {
        model.close();
    }
}
