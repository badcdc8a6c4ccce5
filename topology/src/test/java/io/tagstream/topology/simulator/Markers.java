/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.simulator.SimulatedBroker.Written;
import io.tagstream.topology.simulator.SimulatedCluster.Requirement;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The markers that label encoders have ever committed, in order. */
final class Markers {
    private final SimulatedCluster cluster;
    private final List<Marker> markers = new ArrayList<>();
    private int looked;

    /** @param epoch the epoch that it puts in force */
    private record Marker(String textFingerprint, long epoch, String topicId, long topicOffset, MarkerRules rules) {
        boolean covers(Requirement requirement) {
            return topicId.equals(requirement.labelsTopicId()) && topicOffset >= requirement.labelOffset();
        }
    }

    Markers(SimulatedCluster cluster) {
        this.cluster = cluster;
    }

    /** Whether a label encoder has ever covered a requirement, at an epoch that is not above this one. */
    boolean cover(String textFingerprint, Requirement requirement, long epoch) {
        look();
        return markers.stream()
                .anyMatch(marker -> marker.textFingerprint().equals(textFingerprint)
                        && marker.epoch() <= epoch
                        && marker.covers(requirement));
    }

    /** What a label encoder's marker for an epoch said about the model and the tag policy. */
    Optional<MarkerRules> rules(String textFingerprint, long epoch) {
        look();
        return markers.stream()
                .filter(marker -> marker.textFingerprint().equals(textFingerprint) && marker.epoch() == epoch)
                .map(Marker::rules)
                .findFirst();
    }

    private void look() {
        List<Written> written = cluster.broker().written();
        for (; looked < written.size(); looked++) {
            Written record = written.get(looked);
            if (!record.topic().equals(TagstreamConfig.EMBEDDINGS_TOPIC)) {
                continue;
            }
            EmbeddingKey key = EmbeddingKey.parse(new String(record.key(), StandardCharsets.UTF_8));
            if (key.isMarker()) {
                LabelEmbedding embedding = cluster.contracts()
                        .labelEmbedding()
                        .deserializer()
                        .deserialize(cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC), record.value());
                VocabularyMarker marker = (VocabularyMarker) embedding.getContent();
                add(new Marker(
                        key.textFingerprint(),
                        embedding.getSourceOffset(),
                        marker.getTopicId(),
                        marker.getTopicOffset(),
                        marker.getRules()));
            }
        }
    }

    private void add(Marker marker) {
        for (Marker earlier : markers) {
            if (earlier.textFingerprint().equals(marker.textFingerprint()) && earlier.epoch() > marker.epoch()) {
                throw new Violation("epochs never go back", "marker %s after %s".formatted(marker, earlier));
            }
            boolean sameEpoch =
                    earlier.textFingerprint().equals(marker.textFingerprint()) && earlier.epoch() == marker.epoch();
            if (sameEpoch && !earlier.rules().equals(marker.rules())) {
                throw new Violation("other rules have another epoch", "marker %s after %s".formatted(marker, earlier));
            }
        }
        markers.add(marker);
    }
}
