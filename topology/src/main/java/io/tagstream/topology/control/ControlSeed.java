/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingReader;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the first control record of a cluster: the bundle and the configured policy of the instance that starts first.
 * Where the topic was lost, what the markers on label-embeddings say is put in force again.
 *
 * <p>Revisions never go back: instances, label encoders and tagging tasks ignore a record or wait if it is older than one
 * that they know. Where anything says that the cluster is not new, revisions go on from the clock: nobody changes the
 * record every millisecond.
 */
public final class ControlSeed {
    private static final Logger log = LoggerFactory.getLogger(ControlSeed.class);
    private static final long FIRST = 1;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final ControlTopic topic;
    private final TopicReader reader;

    /** @param reader reads the vocabulary's topics */
    public ControlSeed(TagstreamConfig config, Contracts contracts, ControlTopic topic, TopicReader reader) {
        this.config = config;
        this.contracts = contracts;
        this.topic = topic;
        this.reader = reader;
    }

    /**
     * The record in force, which is written if there is none.
     *
     * @param own the bundle of this instance
     * @param labelsGroup the consumer group of this instance's label encoder
     */
    public ClusterControl ensure(BundleRelease own, String labelsGroup) {
        Optional<ClusterControl> present = topic.read();
        while (present.isEmpty()) {
            ClusterControl first = first(own, labelsGroup);
            try {
                present = Optional.of(topic.change(now -> now.isPresent() ? Optional.empty() : Optional.of(first)));
            } catch (ControlTopic.ChangedMeanwhileException e) {
                log.debug("Another instance writes the first control record", e);
                present = topic.read();
            }
        }
        return present.get();
    }

    private ClusterControl first(BundleRelease own, String labelsGroup) {
        Instant now = Instant.now();
        List<VocabularyMarker> markers = markers();
        Optional<MarkerRules> rules = markers.stream()
                .map(VocabularyMarker::getRules)
                .filter(found -> found != null)
                .max(Comparator.comparing(MarkerRules::getRevision));
        if (rules.isPresent()) {
            log.warn(
                    "Topic {} is empty; the bundle and the policy in force are restored from topic {}",
                    config.topic(TagstreamConfig.CONTROL_TOPIC),
                    config.topic(TagstreamConfig.EMBEDDINGS_TOPIC));
            return new ClusterControl(
                    Math.max(now.toEpochMilli(), rules.get().getRevision() + 1),
                    rules.get().getBundle(),
                    rules.get().getPolicy(),
                    List.of(),
                    now);
        }
        boolean lost = markers.isEmpty() && isUsed(labelsGroup);
        if (lost) {
            log.warn(
                    "Topics {} and {} have lost what was in force: bundle {} and the policy of this instance's"
                            + " configuration are put in force. Change them with tagstream model use and tagstream"
                            + " policy set",
                    config.topic(TagstreamConfig.CONTROL_TOPIC),
                    config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                    Controls.named(own));
        }
        return new ClusterControl(lost ? now.toEpochMilli() : FIRST, own, Controls.policy(config), List.of(), now);
    }

    /** Brokers forget positions, too: a week after the last instance has stopped. */
    private boolean isUsed(String labelsGroup) {
        return reader.hasRead(labelsGroup, config.topic(TagstreamConfig.LABELS_TOPIC))
                || reader.hasHadRecords(config.topic(TagstreamConfig.TAGS_TOPIC))
                || LabelEncoderTopology.internalTopics(labelsGroup).stream().anyMatch(reader::hasHadRecords);
    }

    private List<VocabularyMarker> markers() {
        List<VocabularyMarker> markers = new ArrayList<>();
        String embeddings = config.topic(TagstreamConfig.EMBEDDINGS_TOPIC);
        for (ConsumerRecord<byte[], byte[]> found : reader.read(embeddings).records()) {
            try {
                if (found.value() != null
                        && EmbeddingReader.key(found.key()).isMarker()
                        && contracts
                                        .labelEmbedding()
                                        .deserializer()
                                        .deserialize(embeddings, found.value())
                                        .getContent()
                                instanceof VocabularyMarker marker) {
                    markers.add(marker);
                }
            } catch (IllegalArgumentException | SerializationException e) {
                log.debug("The record at {}@{} is no marker", embeddings, found.offset(), e);
            }
        }
        return markers;
    }
}
