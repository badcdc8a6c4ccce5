/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/** The simplest {@link LabelVectors}, for use as a library: it copies the vectors into its own buffer. */
public final class DirectLabelVectors implements LabelVectors {
    private final List<LabelVector> labels;
    private final FloatBuffer vectors;
    private final LabelSelection selection;

    /** Copies vectors of equal length; every label is decoded. */
    public DirectLabelVectors(List<LabelVector> labels) {
        this(labels, LabelSelection.ALL);
    }

    /** Copies vectors of equal length. */
    public DirectLabelVectors(List<LabelVector> labels, LabelSelection selection) {
        this.selection = selection;
        this.labels = List.copyOf(labels);
        int floats = labels.stream().mapToInt(label -> label.vector().length).sum();
        this.vectors = ByteBuffer.allocateDirect(Float.BYTES * floats)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        labels.forEach(label -> vectors.put(label.vector()));
        vectors.flip();
    }

    @Override
    public int size() {
        return labels.size();
    }

    @Override
    public FloatBuffer vectors() {
        return vectors.asReadOnlyBuffer();
    }

    @Override
    public float referenceMean(int label) {
        return labels.get(label).referenceMean();
    }

    @Override
    public float referenceDeviation(int label) {
        return labels.get(label).referenceDeviation();
    }

    @Override
    public LabelSelection selection() {
        return selection;
    }
}
