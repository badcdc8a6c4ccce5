/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelVectors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The vocabulary at one epoch: immutable, shared by every task and batch that pins it.
 *
 * <p>Labels are in the order of their ids, so that equal vocabularies give equal snapshots on every instance.
 */
public final class VocabularySnapshot implements LabelVectors {
    /** The epoch of a vocabulary that was never written. */
    public static final long EMPTY_EPOCH = -1;

    private static final int SUBSETS_KEPT = 8;

    private final long epoch;
    private final MarkerRules rules;
    private final List<VocabularyLabel> labels;
    private final FloatBuffer vectors;
    private final float[] referenceMeans;
    private final float[] referenceDeviations;
    private final int dimension;
    private final LabelSelection selection;
    private final Map<String, Integer> indexes;

    /** The subsets that were last requested, the latest last. Guarded by itself. */
    private final Map<List<Integer>, LabelVectors> subsets = new LinkedHashMap<>();

    /**
     * Copies the labels' vectors into one direct buffer.
     *
     * @param rules the model and the tag policy that are in force with them
     * @param embeddings labels in order of id, each with a vector of {@code dimension} floats
     * @param selection which of the labels an image is decoded against
     */
    VocabularySnapshot(
            long epoch,
            MarkerRules rules,
            int dimension,
            Collection<LabelEmbedding> embeddings,
            LabelSelection selection) {
        this.epoch = epoch;
        this.rules = rules;
        this.dimension = dimension;
        this.selection = selection;
        this.indexes = new HashMap<>(2 * embeddings.size());
        List<VocabularyLabel> described = new ArrayList<>(embeddings.size());
        FloatBuffer rows = direct(embeddings.size() * dimension);
        this.referenceMeans = new float[embeddings.size()];
        this.referenceDeviations = new float[embeddings.size()];
        for (LabelEmbedding embedding : embeddings) {
            EncodedLabel label = (EncodedLabel) embedding.getContent();
            int index = described.size();
            indexes.put(label.getLabelId(), index);
            referenceMeans[index] = label.getReferenceMean();
            referenceDeviations[index] = label.getReferenceDeviation();
            rows.put(
                    label.getVector().duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
            Double threshold = label.getLabel().getThreshold();
            described.add(new VocabularyLabel(
                    label.getLabelId(),
                    LabelLimits.shown(label.getLabel().getName()),
                    List.copyOf(label.getLabel().getPrompts()),
                    threshold == null ? OptionalDouble.empty() : OptionalDouble.of(threshold),
                    label.getLabel().getState() == LabelState.ACTIVE && LabelLimits.isEmitted(label.getLabelId()),
                    label.getVectorOffset(),
                    embedding.getSourceOffset()));
        }
        this.labels = List.copyOf(described);
        this.vectors = rows.flip().asReadOnlyBuffer();
    }

    /** Identifies the vocabulary: a newer one has a higher epoch, even if label-vocabulary was recreated. */
    public long epoch() {
        return epoch;
    }

    /** The model and the tag policy that are in force with these labels. */
    public MarkerRules rules() {
        return rules;
    }

    /** The labels, in the order of their vectors. */
    public List<VocabularyLabel> labels() {
        return labels;
    }

    /** The place of a label, or -1 if it is not in this snapshot. */
    public int indexOf(String labelId) {
        return indexes.getOrDefault(labelId, -1);
    }

    /**
     * Some of these labels, in the order given. Returns the same object for the same labels, unless many others were
     * requested since: the model keeps what it derives from it. May be called from any thread.
     *
     * @param members the labels' places
     */
    public LabelVectors subset(int[] members) {
        List<Integer> key = Arrays.stream(members).boxed().toList();
        synchronized (subsets) {
            LabelVectors known = subsets.remove(key);
            LabelVectors subset = known == null ? new Subset(members.clone()) : known;
            subsets.put(key, subset);
            if (subsets.size() > SUBSETS_KEPT) {
                subsets.remove(subsets.keySet().iterator().next());
            }
            return subset;
        }
    }

    @Override
    public LabelSelection selection() {
        return selection;
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

    private static FloatBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(floats * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private final class Subset implements LabelVectors {
        private final int[] members;
        private final FloatBuffer rows;

        Subset(int[] members) {
            this.members = members;
            FloatBuffer copied = direct(members.length * dimension);
            for (int label : members) {
                copied.put(vectors.slice(label * dimension, dimension));
            }
            this.rows = copied.flip().asReadOnlyBuffer();
        }

        @Override
        public int size() {
            return members.length;
        }

        @Override
        public FloatBuffer vectors() {
            return rows.duplicate();
        }

        @Override
        public float referenceMean(int label) {
            return referenceMeans[members[label]];
        }

        @Override
        public float referenceDeviation(int label) {
            return referenceDeviations[members[label]];
        }

        @Override
        public LabelSelection selection() {
            return selection;
        }
    }
}
