/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.waits.Waits;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;

/** What a simulator outside this package needs from it: the real label encoder, and the names around it. */
public final class SimulatedLabels {
    private static final Map<String, List<Serde<?>>> STORES = Map.of(
            LabelEncoderTopology.ENCODED_LABELS_STORE,
            List.of(Serdes.String(), new StateSerde<>(LabelEmbedding.class)),
            LabelEncoderTopology.ENCODER_PROGRESS_STORE,
            List.of(Serdes.String(), new StateSerde<>(EncoderProgress.class)));

    private SimulatedLabels() {}

    /** A label encoder that reads its topics through a reader of the simulator's, with the simulator's clock. */
    public static Processor<byte[], byte[], Object, byte[]> encoder(
            TagstreamConfig config,
            Contracts contracts,
            ModelRuntime runtime,
            Supplier<ClusterControl> control,
            TopicReader topics,
            LongSupplier nanoTime) {
        return new LabelEncoder(
                config,
                contracts,
                runtime,
                RecordLimit.of(config),
                control,
                () -> topics,
                new Waits(),
                nanoTime,
                new Pace(config.taskForward()));
    }

    /** The key and value serdes of the encoder's stores, by name. */
    public static Map<String, List<Serde<?>>> stores() {
        return STORES;
    }

    /** The topic, by its configuration key, that a sink of the topology writes to. */
    public static String topicKey(String sink) {
        return switch (sink) {
            case LabelEncoderTopology.EMBEDDINGS_SINK -> TagstreamConfig.EMBEDDINGS_TOPIC;
            case LabelEncoderTopology.FAILURES_SINK -> TagstreamConfig.LABEL_FAILURES_TOPIC;
            case LabelEncoderTopology.DEAD_LETTERS_SINK -> TagstreamConfig.DEAD_LETTERS_TOPIC;
            default -> throw new IllegalArgumentException("The simulator knows no sink " + sink);
        };
    }
}
