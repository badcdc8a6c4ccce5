/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.SweepState;
import io.tagstream.avro.state.TaskProgress;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.Vocabulary;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;

/** What a simulator outside this package needs from it: the real processors, and the names around them. */
public final class SimulatedTagging {
    /** The child of admission that takes accepted images. */
    public static final String ACCEPTED = TaggingTopology.ACCEPTED;

    private static final Map<String, List<Serde<?>>> STORES = Map.of(
            TaggingTopology.PENDING_STORE, List.of(Serdes.Long(), Serdes.ByteArray()),
            TaggingTopology.IMAGE_META_STORE, List.of(Serdes.String(), new StateSerde<>(ImageMeta.class)),
            TaggingTopology.IMAGE_FEATURES_STORE, List.of(Serdes.Long(), Serdes.ByteArray()),
            TaggingTopology.SWEEP_STORE, List.of(Serdes.String(), new StateSerde<>(SweepState.class)),
            TaggingTopology.TASK_PROGRESS_STORE, List.of(Serdes.String(), new StateSerde<>(TaskProgress.class)));

    private SimulatedTagging() {}

    /** The state that the tasks of an instance share, with the simulator's clock. */
    public static TaggingContext context(
            TagstreamConfig config,
            Contracts contracts,
            Vocabulary vocabulary,
            ModelRuntime runtime,
            Inflow inflow,
            LongSupplier nanoTime) {
        TaggingContext shared =
                new TaggingContext(config, contracts, vocabulary, runtime, new SimpleMeterRegistry(), inflow);
        shared.useClock(nanoTime);
        shared.registry().askOn(Runnable::run); // a simulation has one thread
        return shared;
    }

    /** What reads images records. */
    public static Processor<byte[], byte[], Object, Object> admission(TaggingContext shared) {
        return new Admission(shared);
    }

    /** What tags accepted images. */
    public static Processor<String, byte[], Object, byte[]> tagging(TaggingContext shared) {
        return new TaggingProcessor(shared);
    }

    /** The key and value serdes of the tagging task's stores, by name. */
    public static Map<String, List<Serde<?>>> stores() {
        return STORES;
    }

    /** The topic, by its configuration key, that a sink of the topology writes to. */
    public static String topicKey(String sink) {
        return switch (sink) {
            case TaggingTopology.TAGS_SINK -> TagstreamConfig.TAGS_TOPIC;
            case TaggingTopology.TAG_CHANGES_SINK -> TagstreamConfig.TAG_CHANGES_TOPIC;
            case TaggingTopology.IMAGE_FAILURES_SINK -> TagstreamConfig.IMAGE_FAILURES_TOPIC;
            case TaggingTopology.DEAD_LETTERS_SINK, TaggingTopology.TAGGING_DEAD_LETTERS_SINK ->
                TagstreamConfig.DEAD_LETTERS_TOPIC;
            default -> throw new IllegalArgumentException("The simulator knows no sink " + sink);
        };
    }

    /** How far an instance's tasks have followed the vocabulary. */
    public static Collection<SweepStatus> sweeps(TaggingContext shared) {
        return List.copyOf(shared.sweeps().values());
    }
}
