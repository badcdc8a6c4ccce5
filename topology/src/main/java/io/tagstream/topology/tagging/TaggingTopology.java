/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.SweepState;
import io.tagstream.avro.state.TaskProgress;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.RecordTimestamp;
import io.tagstream.topology.vocabulary.VocabularyProcessor;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
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
    /** Accepted images that are owed an outcome, in the order in which the task accepted them. */
    public static final String PENDING_STORE = "pending";
    /** What is known about tagged images, by image id. */
    public static final String IMAGE_META_STORE = "image-meta";
    /** The features that known images are scored from, in order of arrival, each with its owner. */
    public static final String IMAGE_FEATURES_STORE = "image-features";
    /** One record: how far known images have followed the vocabulary. */
    public static final String SWEEP_STORE = "sweep";
    /** One record: the newest vocabulary and model that the task has worked with. */
    public static final String TASK_PROGRESS_STORE = "task-progress";

    static final String ACCEPTED = "accepted";
    static final String DEAD_LETTERS_SINK = "dead-letters";
    /** A separate sink: otherwise the two sub-topologies on either side of the re-keying topic would be one. */
    static final String TAGGING_DEAD_LETTERS_SINK = "tagging-dead-letters";

    static final String TAGS_SINK = "tags";
    static final String TAG_CHANGES_SINK = "tag-changes";
    static final String IMAGE_FAILURES_SINK = "image-failures";
    private static final String REPARTITION = "images";
    private static final String ADMISSION = "admission";
    private static final String TAGGING = "tagging";
    /** The global store, which its processor leaves empty; Kafka Streams requires one. */
    private static final String VOCABULARY_STORE = "vocabulary";

    private TaggingTopology() {}

    /** Builds the topology around the state that its tasks share. */
    public static Topology build(TagstreamConfig config, TaggingContext shared) {
        return build(config, shared, () -> new TaggingProcessor(shared));
    }

    /** The same with the caller's own processors. */
    static Topology build(
            TagstreamConfig config,
            TaggingContext shared,
            Supplier<? extends Processor<String, byte[], Object, byte[]>> processors) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addGlobalStore(
                Stores.keyValueStoreBuilder(
                                Stores.inMemoryKeyValueStore(VOCABULARY_STORE), Serdes.ByteArray(), Serdes.ByteArray())
                        .withLoggingDisabled(),
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()).withName("label-embeddings"),
                () -> new VocabularyProcessor(shared.vocabulary()));

        KStream<String, byte[]> accepted = builder.stream(
                        config.topic(TagstreamConfig.IMAGES_TOPIC),
                        Consumed.with(Serdes.ByteArray(), Serdes.ByteArray())
                                .withName("images")
                                // so that the consumer says which offsets are gone instead of passing over them
                                .withOffsetResetPolicy(AutoOffsetReset.earliest())
                                .withTimestampExtractor(new RecordTimestamp()))
                .process(() -> new Admission(shared), Named.as(ADMISSION))
                .map((id, image) -> KeyValue.pair((String) id, (byte[]) image), Named.as(ACCEPTED));
        if (config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)) {
            accepted = accepted.repartition(Repartitioned.<String, byte[]>as(REPARTITION)
                    .withKeySerde(Serdes.String())
                    .withValueSerde(Serdes.ByteArray()));
        }
        accepted.process(new Tagging(processors), Named.as(TAGGING));
        Topology topology = builder.build();
        Map.of(
                        TAGS_SINK, TagstreamConfig.TAGS_TOPIC,
                        TAG_CHANGES_SINK, TagstreamConfig.TAG_CHANGES_TOPIC,
                        IMAGE_FAILURES_SINK, TagstreamConfig.IMAGE_FAILURES_TOPIC)
                .forEach((sink, key) -> addSink(topology, sink, config.topic(key), new StringSerializer(), TAGGING));
        String deadLetters = config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC);
        addSink(topology, DEAD_LETTERS_SINK, deadLetters, new ByteArraySerializer(), ADMISSION);
        addSink(topology, TAGGING_DEAD_LETTERS_SINK, deadLetters, new ByteArraySerializer(), TAGGING);
        return topology;
    }

    /** Sinks take bytes: a serialization failure must happen in the processor, before the pending entry is deleted. */
    private static void addSink(Topology topology, String name, String topic, Serializer<?> keys, String parent) {
        topology.addSink(name, topic, keys, new ByteArraySerializer(), parent);
    }

    /**
     * The topics that Kafka Streams keeps for this topology, by their names on the cluster.
     *
     * @param applicationId the topology's application id
     */
    public static Set<String> internalTopics(TagstreamConfig config, String applicationId) {
        Set<String> topics = new HashSet<>();
        for (String store :
                List.of(PENDING_STORE, IMAGE_META_STORE, IMAGE_FEATURES_STORE, SWEEP_STORE, TASK_PROGRESS_STORE)) {
            topics.add(changelog(applicationId, store));
        }
        if (config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)) {
            topics.add(taggingInput(config, applicationId));
        }
        return topics;
    }

    /** The topics whose records can be written again: tasks have most in their stores, and instances the control record. */
    static Set<String> rewritable(TagstreamConfig config) {
        Set<String> topics = new HashSet<>();
        topics.add(config.topic(TagstreamConfig.TAGS_TOPIC));
        topics.add(config.topic(TagstreamConfig.CONTROL_TOPIC));
        for (String store : List.of(PENDING_STORE, IMAGE_META_STORE, SWEEP_STORE, TASK_PROGRESS_STORE)) {
            topics.add(changelog(config.applicationId(), store));
        }
        return topics;
    }

    /** The topic that tagging tasks read: the re-keying topic, or the images topic if there is none. */
    public static String taggingInput(TagstreamConfig config, String applicationId) {
        return config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)
                ? applicationId + "-" + REPARTITION + "-repartition"
                : config.topic(TagstreamConfig.IMAGES_TOPIC);
    }

    /** The topic that keeps a store's records. */
    public static String changelog(String applicationId, String store) {
        return applicationId + "-" + store + "-changelog";
    }

    /** The processor with its stores. */
    private record Tagging(Supplier<? extends Processor<String, byte[], Object, byte[]>> processors)
            implements ProcessorSupplier<String, byte[], Object, byte[]> {
        @Override
        public Processor<String, byte[], Object, byte[]> get() {
            return processors.get();
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            // Small segments, compacted eagerly: nearly every record is deleted moments after it is written.
            Map<String, String> shortLived = Map.of(
                    TopicConfig.SEGMENT_BYTES_CONFIG,
                    String.valueOf(16 * 1024 * 1024),
                    TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
                    "0.1");
            return Set.of(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(PENDING_STORE), Serdes.Long(), Serdes.ByteArray())
                            .withCachingEnabled()
                            .withLoggingEnabled(shortLived),
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(IMAGE_META_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(ImageMeta.class))
                            .withCachingEnabled()
                            .withLoggingEnabled(Map.of()),
                    // written once and seldom read: a cache would only slow them down
                    Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(IMAGE_FEATURES_STORE),
                                    Serdes.Long(),
                                    Serdes.ByteArray())
                            .withCachingDisabled()
                            .withLoggingEnabled(Map.of()),
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(SWEEP_STORE),
                                    Serdes.String(),
                                    new StateSerde<>(SweepState.class))
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
