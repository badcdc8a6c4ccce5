/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.LabelScore;
import io.tagstream.model.ImageScores;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What must be decoded to bring images from one vocabulary epoch to a newer one. A label's score depends on that label
 * and the image alone, so labels whose vector is still the same keep their scores; thresholds, names, states and the tag
 * policy cost nothing, unless scores are needed that were too low to be kept.
 *
 * <p>Immutable.
 */
final class VocabularyDelta {
    private final VocabularySnapshot newer;
    private final long from;
    private final int[] changed;

    /** Labels that may have to be decoded because their threshold fell below the lowest score that is kept. */
    private final int[] lowered;

    /**
     * Compares two epochs.
     *
     * @param from the epoch that images are at
     * @param threshold the score from which a label is emitted under the newer one
     */
    VocabularyDelta(VocabularySnapshot newer, long from, ToDoubleFunction<VocabularyLabel> threshold) {
        this.newer = newer;
        this.from = from;
        List<VocabularyLabel> labels = newer.labels();
        MarkerRules rules = newer.rules();
        double floor = rules.getPolicy().getScoresFloor();
        boolean otherThresholds = rules.getSince() > from;
        boolean everything = !newer.selection().exact() // one new label may push out any other
                || rules.getFloorSince() > from; // scores were not kept that are from now on
        this.changed = IntStream.range(0, labels.size())
                .filter(label -> everything || labels.get(label).vectorEpoch() > from)
                .toArray();
        this.lowered = IntStream.range(0, everything ? 0 : labels.size())
                .filter(label -> labels.get(label).vectorEpoch() <= from
                        && (otherThresholds || labels.get(label).changedEpoch() > from)
                        && threshold.applyAsDouble(labels.get(label)) < floor)
                .toArray();
    }

    /** Every label of a vocabulary, for images whose scores are not comparable. */
    static int[] everything(VocabularySnapshot newer) {
        return IntStream.range(0, newer.size()).toArray();
    }

    /** The places of the labels that an image must be decoded against. */
    int[] toDecode(ImageMeta image) {
        if (lowered.length == 0) {
            return changed;
        }
        Set<String> scored = new HashSet<>();
        image.getScores().forEach(score -> scored.add(score.getLabelId()));
        List<Integer> missing = new ArrayList<>();
        for (int label : lowered) {
            if (!scored.contains(newer.labels().get(label).id())) {
                missing.add(label);
            }
        }
        return missing.isEmpty()
                ? changed
                : IntStream.concat(Arrays.stream(changed), missing.stream().mapToInt(Integer::intValue))
                        .sorted()
                        .toArray();
    }

    /** The places of the labels whose vectors have changed since the scores of the older epoch were computed. */
    int[] toDecode() {
        return changed;
    }

    /** An image's scores for all labels, as far as they are known: {@link ImageScores#NOT_DECODED} for the others. */
    float[] known(ImageMeta image) {
        float[] scores = new float[newer.size()];
        Arrays.fill(scores, ImageScores.NOT_DECODED);
        for (LabelScore score : image.getScores()) {
            keep(score.getLabelId(), score.getScore(), scores);
        }
        return scores;
    }

    /** The same for an image that has just been scored. */
    float[] known(ImageScores<VocabularySnapshot> image) {
        float[] scores = new float[newer.size()];
        Arrays.fill(scores, ImageScores.NOT_DECODED);
        for (int label = 0; label < image.scores().length; label++) {
            keep(image.labels().labels().get(label).id(), image.scores()[label], scores);
        }
        return scores;
    }

    private void keep(String labelId, float score, float[] scores) {
        int label = newer.indexOf(labelId);
        if (label >= 0 && newer.labels().get(label).vectorEpoch() <= from) {
            scores[label] = score;
        }
    }
}
