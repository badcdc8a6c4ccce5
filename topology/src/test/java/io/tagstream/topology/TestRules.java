/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TopologyTestDriver;

/** The model and the tag policy of a new cluster, for tests without one. */
public final class TestRules {
    private TestRules() {}

    /** The first control record. */
    public static ClusterControl control(TagstreamConfig config, ModelDescription model) {
        return new ClusterControl(1L, Controls.release(model), Controls.policy(config), List.of(), Instant.EPOCH);
    }

    /** What markers say under the first control record. */
    public static MarkerRules of(TagstreamConfig config, ModelDescription model) {
        return of(control(config, model), -1);
    }

    /** Puts a vocabulary without labels in force, as the label encoder does in a new cluster. */
    public static void mark(
            TopologyTestDriver driver, Contracts contracts, TagstreamConfig config, ModelDescription model) {
        String fingerprint = model.textFingerprint();
        VocabularyMarker marker = new VocabularyMarker(0, "topic-1", -1L, of(config, model));
        driver.createInputTopic(
                        config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                        new StringSerializer(),
                        contracts.labelEmbedding().serializer())
                .pipeInput(
                        EmbeddingKey.marker(fingerprint).toString(),
                        new LabelEmbedding(fingerprint, VocabularySnapshot.EMPTY_EPOCH, marker));
    }

    /** What markers say under a control record that has been in force since an epoch. */
    public static MarkerRules of(ClusterControl control, long since) {
        return new MarkerRules(control.getRevision(), control.getBundle(), control.getPolicy(), since, since);
    }
}
