/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.tagstream.model.LabelVectors;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What scoring needs from a {@link LabelVectors}: tensors over its memory, chunk by chunk, and its statistics. */
final class PreparedLabels implements AutoCloseable {
    private final LabelVectors labels;
    private final FloatBuffer vectors;
    private final int embeddingSize;
    private final List<OnnxTensor> chunks = new ArrayList<>();
    private final float[] means;
    private final float[] deviations;
    private Optional<float[]> priors = Optional.empty();

    PreparedLabels(OrtEnvironment environment, LabelVectors labels, int embeddingSize, int chunkSize)
            throws OrtException {
        this.labels = labels;
        int count = labels.size();
        this.embeddingSize = embeddingSize;
        this.vectors = labels.vectors().slice();
        if (vectors.remaining() != count * embeddingSize) {
            throw new IllegalArgumentException("%d label vectors of %d floats need %d floats, not %d"
                    .formatted(count, embeddingSize, count * embeddingSize, vectors.remaining()));
        }
        means = new float[count];
        deviations = new float[count];
        for (int label = 0; label < count; label++) {
            means[label] = labels.referenceMean(label);
            deviations[label] = labels.referenceDeviation(label);
        }
        boolean complete = false;
        try {
            for (int from = 0; from < count; from += chunkSize) {
                int size = Math.min(chunkSize, count - from);
                FloatBuffer rows = vectors.slice(from * embeddingSize, size * embeddingSize);
                chunks.add(OnnxTensor.createTensor(environment, rows, new long[] {size, embeddingSize}));
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    boolean isOf(LabelVectors other) {
        return labels == other;
    }

    int size() {
        return means.length;
    }

    List<OnnxTensor> chunks() {
        return chunks;
    }

    /** Writes a label's vector to row {@code row} of [rows, D]. */
    void copy(int label, FloatBuffer target, int row) {
        target.put(row * embeddingSize, vectors, label * embeddingSize, embeddingSize);
    }

    float mean(int label) {
        return means[label];
    }

    float deviation(int label) {
        return deviations[label];
    }

    /** Each label's logit for an image without content; empty until {@link #keepPriors}. */
    Optional<float[]> priors() {
        return priors;
    }

    void keepPriors(float[] logits) {
        priors = Optional.of(logits);
    }

    @Override
    public void close() {
        chunks.forEach(OnnxTensor::close);
    }
}
