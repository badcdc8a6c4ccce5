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
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A model with a fault that the laboratory must find: it scores every image rightly, but gives it the features of the
 * image before.
 *
 * <p><i>Threading notes.</i> Safe for use by many threads.
 */
final class CrossedModel implements ModelRuntime {
    /** A system property: whether instances use this model. */
    static final String KEY = "laboratory.crossed.features";

    private final ModelRuntime model;
    private final AtomicReference<ImageFeatures> before = new AtomicReference<>();

    CrossedModel(ModelRuntime model) {
        this.model = model;
    }

    @Override
    public ModelDescription description() {
        return model.description();
    }

    @Override
    public LabelVector encodeLabel(LabelText text) throws LabelTextException {
        return model.encodeLabel(text);
    }

    @Override
    public boolean isSaturated() {
        return model.isSaturated();
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        return model.trySubmit(request, labels).map(scored -> scored.thenApply(this::crossed));
    }

    private <L extends LabelVectors> ImageScores<L> crossed(ImageScores<L> scores) {
        ImageFeatures others = before.getAndSet(scores.features());
        return others == null
                ? scores
                : new ImageScores<>(
                        scores.labels(), scores.scores(), others, scores.sha256(), scores.width(), scores.height());
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
