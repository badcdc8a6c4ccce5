/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagPolicy;
import io.tagstream.lab.History.LabelChange;
import io.tagstream.lab.History.Marker;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The vocabulary, the tag policy and the model as they were at every epoch, and the tags that an image has by them. */
final class VocabularyModel {
    private static final Comparator<Tag> BEST_FIRST =
            Comparator.comparing(Tag::getScore).reversed().thenComparing(Tag::getLabelId);

    /** The labels from each offset onwards. */
    private final TreeMap<Long, Map<String, Label>> byOffset = new TreeMap<>();

    private final TreeMap<Long, Marker> markers = new TreeMap<>();
    private final boolean markersLost;

    /**
     * How images were tagged.
     *
     * @param offset of the newest change of the vocabulary
     * @param rules empty for the model's first release and no policy
     */
    private record Terms(long offset, Optional<MarkerRules> rules) {
        Optional<TagPolicy> policy() {
            return rules.map(MarkerRules::getPolicy);
        }

        int release() {
            return rules.map(MarkerRules::getBundle)
                    .map(BundleRelease::getVersion)
                    .map(Integer::parseInt)
                    .orElse(1);
        }
    }

    /** What a model's release makes of an image. */
    record Tagging(String modelVersion, List<Tag> tags) {}

    VocabularyModel(History history) {
        Map<String, Label> labels = new TreeMap<>();
        byOffset.put(-1L, Map.of());
        for (LabelChange change : history.vocabulary()) {
            if (isTaken(change)) {
                if (change.label().isPresent()) {
                    labels.put(change.id(), change.label().get());
                } else {
                    labels.remove(change.id());
                }
            }
            byOffset.put(change.offset(), new TreeMap<>(labels));
        }
        history.markers().forEach(marker -> markers.put(marker.epoch(), marker));
        markersLost = history.markersLost();
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
        return byOffset.lastKey();
    }

    /** What the latest epoch makes of an image. */
    Tagging latest(List<String> words) {
        return markers.isEmpty()
                ? tagging(words, new Terms(end(), Optional.empty()))
                : tagging(words, terms(markers.lastEntry().getValue()));
    }

    /**
     * What an epoch makes of an image: nothing if there is no such epoch, and several taggings, one of which is right,
     * if its marker is lost.
     */
    List<Tagging> possible(List<String> words, long epoch) {
        return terms(epoch).map(terms -> tagging(words, terms)).distinct().toList();
    }

    private Stream<Terms> terms(long epoch) {
        if (markers.containsKey(epoch)) {
            return Stream.of(terms(markers.get(epoch)));
        }
        Map.Entry<Long, Marker> before = markers.lowerEntry(epoch);
        Map.Entry<Long, Marker> after = markers.higherEntry(epoch);
        if (!markersLost) {
            boolean first = before == null && byOffset.containsKey(epoch);
            return first ? Stream.of(new Terms(epoch, Optional.empty())) : Stream.empty();
        }
        Terms least = before == null ? new Terms(-1, Optional.empty()) : terms(before.getValue());
        Terms most = after == null ? new Terms(end(), least.rules()) : terms(after.getValue());
        return byOffset.subMap(least.offset(), true, most.offset(), true).keySet().stream()
                .flatMap(offset -> Stream.of(new Terms(offset, least.rules()), new Terms(offset, most.rules())));
    }

    private static Terms terms(Marker marker) {
        return new Terms(marker.offset(), marker.rules());
    }

    private Tagging tagging(List<String> words, Terms terms) {
        List<Tag> tags = new ArrayList<>();
        Double least = terms.policy().map(TagPolicy::getMinScore).orElse(null);
        byOffset.floorEntry(terms.offset()).getValue().forEach((id, label) -> {
            float score = words.contains(label.getName()) ? Words.hasLabel(terms.release()) : Words.HAS_NOT;
            double threshold = least == null ? threshold(label) : least;
            if (label.getState() == LabelState.ACTIVE && score >= threshold) {
                tags.add(new Tag(id, label.getName(), score, (float) threshold));
            }
        });
        tags.sort(BEST_FIRST);
        int most = terms.policy().map(TagPolicy::getTopK).orElse(Words.TOP_K);
        return new Tagging(
                Integer.toString(terms.release()), List.copyOf(tags.subList(0, Math.min(tags.size(), most))));
    }

    private static double threshold(Label label) {
        return label.getThreshold() == null ? Words.DEFAULT_THRESHOLD : label.getThreshold();
    }
}
