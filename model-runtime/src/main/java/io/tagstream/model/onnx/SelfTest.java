/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import io.tagstream.model.text.LabelTextEncoder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Runs every batch size once, and checks that the bundle's own images and labels get the scores they must. */
final class SelfTest {
    private SelfTest() {}

    static void run(Bundle bundle, LabelTextEncoder encoder, ImageScorer scorer) {
        BundleDescription.SelfTest test = bundle.description().selfTest();
        DirectLabelVectors labels = labels(bundle, encoder);
        ByteBuffer pixels = bundle.selfTestPixels();
        try {
            for (int images : scorer.buckets()) {
                scorer.score(Math.min(images, scorer.maxBatch()), labels);
            }
            ImageFeatures features = scorer.encode(1).get(0);
            for (int images : scorer.rowBuckets()) {
                scorer.score(Collections.nCopies(images, features), labels);
            }
            for (int image = 0; image < test.images(); image++) {
                scorer.pixels(0).put(pixels.slice(image * scorer.pixelBytes(), scorer.pixelBytes()));
                compare(bundle, image, scorer.score(1, labels)[0]);
            }
        } catch (OrtException e) {
            throw bundle.wrong(test.pixels(), "graphs that run", e.getMessage());
        }
    }

    private static void compare(Bundle bundle, int image, float[] scores) {
        BundleDescription.SelfTest test = bundle.description().selfTest();
        for (int label = 0; label < scores.length; label++) {
            double expected = test.scores().get(image).get(label);
            // NaN fails too
            if (!(Math.abs(scores[label] - expected) <= test.tolerance())) {
                throw bundle.wrong(
                        test.pixels(),
                        "score %.5f ± %s of self-test image %d for label \"%s\""
                                .formatted(
                                        expected,
                                        test.tolerance(),
                                        image,
                                        test.labels().get(label)),
                        "%.5f (the graphs do not compute what they did for the bundle's author)"
                                .formatted(scores[label]));
            }
        }
    }

    private static DirectLabelVectors labels(Bundle bundle, LabelTextEncoder encoder) {
        List<LabelVector> vectors = new ArrayList<>();
        for (String name : bundle.description().selfTest().labels()) {
            try {
                vectors.add(encoder.encode(new LabelText(name, List.of())));
            } catch (LabelTextException e) {
                throw bundle.wrong("bundle.json", "self-test labels that can be encoded", e.getMessage());
            }
        }
        return new DirectLabelVectors(vectors);
    }
}
