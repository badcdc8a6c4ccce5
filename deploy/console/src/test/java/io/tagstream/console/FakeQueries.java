/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.topology.query.Explanation;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.query.SimilarImage;
import io.tagstream.topology.query.SweepProgress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Gives predictable answers. */
public final class FakeQueries implements ImageQueries {
    private final List<String> further;

    /** @param further names of labels beyond cat and dog */
    public FakeQueries(String... further) {
        this.further = List.of(further);
    }

    @Override
    public Preview preview(LabelText text, OptionalDouble threshold, int best) throws LabelTextException {
        List<Preview.Matches> thresholds = new ArrayList<>();
        for (int step = 0; step < 10; step++) {
            thresholds.add(new Preview.Matches((5 + 10 * step) / 100.0, 10L - step));
        }
        List<Preview.ScoredImage> images = new ArrayList<>();
        for (int image = 0; image < best; image++) {
            images.add(new Preview.ScoredImage("cat.jpg", "file:///cat.jpg", 0.91 - image / 100.0));
        }
        return new Preview(12, 3, 0.3, thresholds, images);
    }

    @Override
    public Optional<Explanation> explain(String imageId) {
        return Optional.of(Explanation.builder()
                .imageId(imageId)
                .uri("file:///" + imageId)
                .sha256("0".repeat(64))
                .modelId("everyday")
                .modelVersion("1.0")
                .vocabularyEpoch(7)
                .selection("all")
                .candidateCutoff(-6.4)
                .labels(labels())
                .history(List.of(new Explanation.TagHistory(
                        "cat",
                        "cat",
                        Explanation.Change.ADDED,
                        "NEW_IMAGE",
                        7,
                        Instant.parse("2026-11-01T12:00:00Z"),
                        0.99)))
                .build());
    }

    private List<Explanation.LabelScore> labels() {
        List<Explanation.LabelScore> labels = new ArrayList<>(List.of(
                candidate("cat", 0.99)
                        .promise(-2.0)
                        .standardisedCosine(3.1)
                        .emitted(true)
                        .build(),
                candidate("dog", 0.12).promise(-5.1).standardisedCosine(0.4).build()));
        further.forEach(name -> labels.add(
                candidate(name, 0.1).promise(-5.2).standardisedCosine(0.3).build()));
        return labels;
    }

    private static Explanation.LabelScore.Builder candidate(String name, double score) {
        return Explanation.LabelScore.builder()
                .labelId(name)
                .name(name)
                .score(score)
                .threshold(0.5)
                .active(true)
                .prompts(List.of("a photo of a " + name))
                .candidate(true);
    }

    @Override
    public SweepProgress progress() {
        return new SweepProgress(7, 5, 12, true);
    }

    @Override
    public List<SimilarImage> similar(String text, int count) throws LabelTextException {
        return List.of(
                new SimilarImage("cat.jpg", "file:///cat.jpg", 0.31),
                new SimilarImage("gone.jpg", "file:///gone.jpg", 0.3));
    }
}
