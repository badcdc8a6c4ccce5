/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.state.SweepState;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.lab.History.Marker;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingTopology;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Follows the outcomes while a round runs, to know when it is at rest. The checker does not use what it sees.
 *
 * <p><i>Threading notes.</i> Used by the round's thread.
 */
final class Progress implements AutoCloseable {
    private final CommittedReader reader;
    private final Contracts contracts;
    private final String embeddingsTopic;
    private final Set<Long> withOutcome = new HashSet<>();
    private final TagstreamConfig config;
    private final Map<Integer, Boolean> followed = new HashMap<>();
    private Optional<Marker> inForce = Optional.empty();
    private CommittedReader sweeps;

    Progress(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.embeddingsTopic = config.topic(TagstreamConfig.EMBEDDINGS_TOPIC);
        this.reader = new CommittedReader(
                config,
                List.of(
                        embeddingsTopic,
                        config.topic(TagstreamConfig.TAGS_TOPIC),
                        config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC),
                        config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC)));
    }

    /**
     * Whether this many submissions have an outcome, and known images have followed the vocabulary to this offset and
     * the control record to this revision.
     */
    boolean isAtRest(long submissions, long vocabularyEnd, long revision) {
        for (ConsumerRecord<byte[], byte[]> found : reader.poll()) {
            if (found.topic().equals(embeddingsTopic)) {
                inForce = HistoryReader.marker(found, contracts).or(() -> inForce);
            } else {
                Sequences.of(found).ifPresent(withOutcome::add);
            }
        }
        return withOutcome.size() >= submissions
                && inForce.filter(marker -> marker.offset() >= vocabularyEnd
                                && marker.rules()
                                        .filter(rules -> rules.getRevision() >= revision)
                                        .isPresent()
                                && followed(marker.epoch()))
                        .isPresent();
    }

    /** Whether every partition's known images have followed the vocabulary up to this epoch. */
    private boolean followed(long epoch) {
        if (sweeps == null) { // its topic exists once there is an outcome
            sweeps = new CommittedReader(
                    config, List.of(config.applicationId() + "-" + TaggingTopology.SWEEP_STORE + "-changelog"));
        }
        StateSerde<SweepState> serde = new StateSerde<>(SweepState.class);
        for (ConsumerRecord<byte[], byte[]> found : sweeps.poll()) {
            SweepState state = serde.deserializer().deserialize(found.topic(), found.value());
            boolean done = state.getCoverage().stream().allMatch(range -> range.getEpoch() >= epoch);
            followed.put(found.partition(), done);
        }
        return followed.size() == config.getInt(TopicKeys.TOPICS_PARTITIONS) && !followed.containsValue(false);
    }

    @Override
    public void close() {
        reader.close();
        if (sweeps != null) {
            sweeps.close();
        }
    }
}
