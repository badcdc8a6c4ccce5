/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.TaskProgress;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.Contracts;
import io.tagstream.topology.TagstreamConfig;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularyProcessor;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Topology B: {@code images -> [admission] -> (re-keyed) -> [tagging] -> tags, tag-changes, image-failures},
 * unreadable records to {@code dead-letters}, and {@code label-embeddings => Vocabulary} on every instance.
 */
public final class TaggingTopology {
    /** Accepted images that owe an outcome, by the order in which the task accepted them. */
    public static final String PENDING_STORE = "pending";
    /** What is known of tagged images, by image id. */
    public static final String IMAGE_META_STORE = "image-meta";
    /** One record: the newest vocabulary and model that the task has worked with. */
    public static final String TASK_PROGRESS_STORE = "task-progress";

    static final String ACCEPTED = "accepted";
    static final String DEAD_LETTERS_SINK = "dead-letters";
    static final String TAGS_SINK = "tags";
    static final String TAG_CHANGES_SINK = "tag-changes";
    static final String IMAGE_FAILURES_SINK = "image-failures";
    private static final String ADMISSION = "admission";
    /** The global store that its processor leaves empty; Kafka Streams wants one. */
    private static final String VOCABULARY_STORE = "vocabulary";

    private TaggingTopology() {}

    /**
     * Builds the topology.
     *
     * @param vocabulary made for this topology alone; filled by it
     * @param runtime shared; owned by the caller
     * @param metrics where {@link TaggingMetric}s are measured into
     */
    public static Topology build(
            TagstreamConfig config,
            Contracts contracts,
            Vocabulary vocabulary,
            ModelRuntime runtime,
            MeterRegistry metrics) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addGlobalStore(
                Stores.keyValueStoreBuilder(
                                Stores.inMemoryKeyValueStore(VOCABULARY_STORE), Serdes.ByteArray(), Serdes.ByteArray())
                        .withLoggingDisabled(),
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()).withName("label-embeddings"),
                () -> new VocabularyProcessor(vocabulary));

        KStream<String, PendingImage> accepted = builder.stream(
                        config.topic(TagstreamConfig.IMAGES_TOPIC),
                        Consumed.with(Serdes.ByteArray(), Serdes.ByteArray())
                                .withName("images")
                                .withTimestampExtractor(new RecordTimestamp()))
                .process(() -> new Admission(config, contracts), Named.as(ADMISSION))
                .map((id, image) -> KeyValue.pair((String) id, (PendingImage) image), Named.as(ACCEPTED));
        if (config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)) {
            accepted = accepted.repartition(Repartitioned.<String, PendingImage>as("images")
                    .withKeySerde(Serdes.String())
                    .withValueSerde(new StateSerde<>(PendingImage.class)));
        }
        TaggingContext shared = new TaggingContext(config, contracts, vocabulary, runtime, metrics);
        KStream<String, byte[]> outcomes = accepted.process(new Supplier(shared), Named.as("tagging"));
        outcomes.to(config.topic(TagstreamConfig.TAGS_TOPIC), bytes(TAGS_SINK));
        outcomes.to(config.topic(TagstreamConfig.TAG_CHANGES_TOPIC), bytes(TAG_CHANGES_SINK));
        outcomes.to(config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC), bytes(IMAGE_FAILURES_SINK));
        Topology topology = builder.build();
        topology.addSink(
                DEAD_LETTERS_SINK,
                config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC),
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                ADMISSION);
        return topology;
    }

    /** Sinks take bytes: what cannot be serialized must fail in the processor, before the pending entry is deleted. */
    private static Produced<String, byte[]> bytes(String name) {
        return Produced.with(Serdes.String(), Serdes.ByteArray()).withName(name);
    }

    private record Supplier(TaggingContext shared) implements ProcessorSupplier<String, PendingImage, String, byte[]> {
        @Override
        public Processor<String, PendingImage, String, byte[]> get() {
            return new TaggingProcessor(shared);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            // Small segments, compacted eagerly: nearly every record is deleted moments after it was written.
            Map<String, String> shortLived = Map.of(
                    TopicConfig.SEGMENT_BYTES_CONFIG,
                    String.valueOf(16 * 1024 * 1024),
                    TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
                    "0.1");
            return Set.of(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(PENDING_STORE),
                                    Serdes.Long(),
                                    new StateSerde<>(PendingImage.class))
                            .withCachingEnabled()
                            .withLoggingEnabled(shortLived),
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(IMAGE_META_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(ImageMeta.class))
                            .withCachingEnabled()
                            .withLoggingEnabled(Map.of()),
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(TASK_PROGRESS_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(TaskProgress.class))
                            .withCachingEnabled()
                            .withLoggingEnabled(Map.of()));
        }
    }
}
