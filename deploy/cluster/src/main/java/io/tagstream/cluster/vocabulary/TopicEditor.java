/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Writes changes to the vocabulary's topic.
 *
 * <p><i>Threading notes.</i> Any number of threads may use it, one at a time.
 */
public final class TopicEditor implements VocabularyEditor {
    private final TagstreamConfig config;
    private final Contracts contracts;
    private final VocabularyTopic topic;

    public TopicEditor(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.topic = new VocabularyTopic(config, contracts);
    }

    @Override
    public synchronized Optional<ChangeWatch.Effect> apply(Map<String, Label> changes, Duration patience) {
        try (ChangeWatch watch = new ChangeWatch(config, contracts)) {
            return watch.await(topic.write(changes), patience, done -> {});
        }
    }
}
