/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import io.tagstream.lab.History.LabelChange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The vocabulary as it was at every offset, and the tags that an image has under it. */
final class VocabularyModel {
    /** The labels in force from each offset onwards. */
    private final TreeMap<Long, Map<String, Label>> byEpoch = new TreeMap<>();

    VocabularyModel(List<LabelChange> changes) {
        Map<String, Label> labels = new TreeMap<>();
        byEpoch.put(-1L, Map.of());
        for (LabelChange change : changes) {
            if (isTaken(change)) {
                if (change.label().isPresent()) {
                    labels.put(change.id(), change.label().get());
                } else {
                    labels.remove(change.id());
                }
            }
            byEpoch.put(change.offset(), new TreeMap<>(labels));
        }
    }

    private static boolean isTaken(LabelChange change) {
        return change.readable()
                && change.label()
                        .map(label -> !label.getName().isBlank() && isThreshold(label.getThreshold()))
                        .orElse(true);
    }

    private static boolean isThreshold(Double threshold) {
        return threshold == null || (threshold >= 0 && threshold <= 1);
    }

    /** The offset of the newest change; -1 if there is none. */
    long end() {
        return byEpoch.lastKey();
    }

    /** Whether there is a change at this offset, or it is the offset of the empty vocabulary. */
    boolean isEpoch(long offset) {
        return byEpoch.containsKey(offset);
    }

    /** An image's tags under the vocabulary of an epoch. */
    List<Tag> tags(List<String> words, long epoch) {
        List<Tag> tags = new ArrayList<>();
        byEpoch.get(epoch).forEach((id, label) -> {
            float score = words.contains(label.getName()) ? Words.HAS_LABEL : Words.HAS_NOT;
            double threshold = label.getThreshold() == null ? Words.DEFAULT_THRESHOLD : label.getThreshold();
            if (label.getState() == LabelState.ACTIVE && score >= threshold) {
                tags.add(new Tag(id, label.getName(), score, (float) threshold));
            }
        });
        tags.sort(Comparator.comparing(Tag::getScore).reversed().thenComparing(Tag::getLabelId));
        return tags.subList(0, Math.min(tags.size(), Words.TOP_K));
    }
}
