/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import ai.onnxruntime.OrtException;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.onnx.ImageScorer;
import io.tagstream.model.onnx.OnnxModelRuntime;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/**
 * ONNX Runtime without anything around it: image encoder and head, full batch after full batch, on pixels that are
 * already decoded. Used by one thread.
 */
final class BareLoop implements AutoCloseable {
    private final ImageScorer scorer;
    private final List<ByteBuffer> pixels;
    private final LabelVectors labels;

    /** @param pixels the images, decoded, [size, size, 3] each */
    BareLoop(OnnxModelRuntime runtime, List<ByteBuffer> pixels, LabelVectors labels) {
        this.scorer = runtime.scorer();
        this.pixels = pixels;
        this.labels = labels;
    }

    /** Every image's scores: [images][labels]. */
    float[][] scores() {
        float[][] scores = new float[pixels.size()][];
        for (int first = 0; first < scores.length; first += scorer.maxBatch()) {
            int count = Math.min(scorer.maxBatch(), scores.length - first);
            System.arraycopy(score(first, count), 0, scores, first, count);
        }
        return scores;
    }

    /** Runs for at least {@code duration}. */
    Speed run(Duration duration) {
        long cpu = ProcessUsage.cpuNanos();
        long began = System.nanoTime();
        long images = 0;
        long elapsed = 0;
        while (elapsed < duration.toNanos()) {
            score((int) (images % pixels.size()), scorer.maxBatch());
            images += scorer.maxBatch();
            elapsed = System.nanoTime() - began;
        }
        return new Speed(images, elapsed, ProcessUsage.cpuNanos() - cpu);
    }

    /** Scores {@code count} images from {@code first} on, starting over after the last. */
    private float[][] score(int first, int count) {
        for (int i = 0; i < count; i++) {
            scorer.pixels(i).put(pixels.get((first + i) % pixels.size()).duplicate());
        }
        try {
            return scorer.score(count, labels);
        } catch (OrtException e) {
            throw OperatorException.failed("ONNX Runtime failed in the bare loop: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        scorer.close();
    }
}
