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
import io.tagstream.topology.clients.ClusterTopicReader;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.records.RecordTimestamp;
import io.tagstream.topology.waits.Waits;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Topology A: {@code label-vocabulary -> [label encoder] -> label-embeddings, label-failures, dead-letters}.
 *
 * <p>The source reads bytes, and the encoder deserializes the labels itself: a record that Kafka Streams' own
 * deserialization refused would never reach the encoder, and no marker could cover it.
 */
public final class LabelEncoderTopology {
    /** Labels in force as they were last encoded, by label id. */
    public static final String ENCODED_LABELS_STORE = "encoded-labels";
    /** One record: how far the encoder has come. */
    public static final String ENCODER_PROGRESS_STORE = "encoder-progress";

    static final String EMBEDDINGS_SINK = "label-embeddings";
    static final String FAILURES_SINK = "label-failures";
    static final String DEAD_LETTERS_SINK = "dead-letters";
    private static final String ENCODER = "label-encoder";

    private LabelEncoderTopology() {}

    /**
     * The application id of the label encoder. There is one encoder per text fingerprint, so that the instances of a
     * new model build their vectors beside the old ones.
     */
    public static String applicationId(String applicationId, String textFingerprint) {
        return applicationId + "-labels-" + textFingerprint.substring(0, Math.min(16, textFingerprint.length()));
    }

    /**
     * Builds the topology.
     *
     * @param control gives the control record in force, as far as this instance has read
     * @param waits is told what changes of labels are waiting for
     * @param pace is kept by the clients that the topology runs with
     */
    public static Topology build(
            TagstreamConfig config,
            Contracts contracts,
            ModelRuntime runtime,
            Supplier<ClusterControl> control,
            Waits waits,
            Pace pace) {
        return build(
                config,
                contracts,
                runtime,
                control,
                () -> new ClusterTopicReader(config, config.applicationId() + "-label-encoder"),
                waits,
                pace);
    }

    /** Takes the topic readers as a parameter: tests have no cluster. */
    static Topology build(
            TagstreamConfig config,
            Contracts contracts,
            ModelRuntime runtime,
            Supplier<ClusterControl> control,
            Supplier<TopicReader> topicReaders,
            Waits waits,
            Pace pace) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(
                        config.topic(TagstreamConfig.LABELS_TOPIC),
                        Consumed.with(Serdes.ByteArray(), Serdes.ByteArray())
                                .withName("label-vocabulary")
                                .withTimestampExtractor(new RecordTimestamp()))
                .process(
                        new Encoders(
                                config, contracts, runtime, RecordLimit.of(config), control, topicReaders, waits, pace),
                        Named.as(ENCODER));
        Topology topology = builder.build();
        topology.addSink(
                EMBEDDINGS_SINK,
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                new StringSerializer(),
                new ByteArraySerializer(),
                ENCODER);
        topology.addSink(
                FAILURES_SINK,
                config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC),
                new StringSerializer(),
                new ByteArraySerializer(),
                ENCODER);
        topology.addSink(
                DEAD_LETTERS_SINK,
                config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC),
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                ENCODER);
        return topology;
    }

    /**
     * The topics that Kafka Streams keeps for this topology, by their names on the cluster.
     *
     * @param applicationId the topology's application id
     */
    public static Set<String> internalTopics(String applicationId) {
        return Set.of(
                applicationId + "-" + ENCODED_LABELS_STORE + "-changelog",
                applicationId + "-" + ENCODER_PROGRESS_STORE + "-changelog");
    }

    private record Encoders(
            TagstreamConfig config,
            Contracts contracts,
            ModelRuntime runtime,
            RecordLimit limit,
            Supplier<ClusterControl> control,
            Supplier<TopicReader> topicReaders,
            Waits waits,
            Pace pace)
            implements ProcessorSupplier<byte[], byte[], Object, byte[]> {
        @Override
        public Processor<byte[], byte[], Object, byte[]> get() {
            return new LabelEncoder(
                    config, contracts, runtime, limit, control, topicReaders, waits, System::nanoTime, pace);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(ENCODED_LABELS_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(LabelEmbedding.class))
                            .withLoggingEnabled(Map.of()),
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(ENCODER_PROGRESS_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(EncoderProgress.class))
                            .withCachingEnabled()
                            .withLoggingEnabled(Map.of()));
        }
    }
}
