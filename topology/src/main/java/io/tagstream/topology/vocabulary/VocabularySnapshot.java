/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.LabelState;
import io.tagstream.model.LabelVectors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The vocabulary at one epoch: immutable, shared by every task and batch that pins it.
 *
 * <p>Labels are in the order of their ids, so that equal vocabularies give equal snapshots on every instance.
 */
public final class VocabularySnapshot implements LabelVectors {
    /** The epoch of a vocabulary that was never written. */
    public static final long EMPTY_EPOCH = -1;

    private final long epoch;
    private final List<VocabularyLabel> labels;
    private final FloatBuffer vectors;
    private final float[] referenceMeans;
    private final float[] referenceDeviations;

    /**
     * Copies the labels' vectors into one direct buffer.
     *
     * @param encoded labels in the order of their ids, each with a vector of {@code dimension} floats
     */
    VocabularySnapshot(long epoch, int dimension, Collection<EncodedLabel> encoded) {
        this.epoch = epoch;
        List<VocabularyLabel> described = new ArrayList<>(encoded.size());
        FloatBuffer rows = ByteBuffer.allocateDirect(encoded.size() * dimension * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        this.referenceMeans = new float[encoded.size()];
        this.referenceDeviations = new float[encoded.size()];
        for (EncodedLabel label : encoded) {
            referenceMeans[described.size()] = label.getReferenceMean();
            referenceDeviations[described.size()] = label.getReferenceDeviation();
            rows.put(
                    label.getVector().duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
            Double threshold = label.getLabel().getThreshold();
            described.add(new VocabularyLabel(
                    label.getLabelId(),
                    label.getLabel().getName(),
                    threshold == null ? OptionalDouble.empty() : OptionalDouble.of(threshold),
                    label.getLabel().getState() == LabelState.ACTIVE));
        }
        this.labels = List.copyOf(described);
        this.vectors = rows.flip().asReadOnlyBuffer();
    }

    /** The label-vocabulary offset up to which this vocabulary was in force. */
    public long epoch() {
        return epoch;
    }

    /** The labels, in the order of their vectors. */
    public List<VocabularyLabel> labels() {
        return labels;
    }

    @Override
    public int size() {
        return labels.size();
    }

    @Override
    public FloatBuffer vectors() {
        return vectors.duplicate();
    }

    @Override
    public float referenceMean(int label) {
        return referenceMeans[label];
    }

    @Override
    public float referenceDeviation(int label) {
        return referenceDeviations[label];
    }
}
