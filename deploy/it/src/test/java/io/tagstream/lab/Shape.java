/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingContext;
import io.tagstream.topology.tagging.TaggingTopology;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.waits.Waits;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyDescription;

/**
 * What two versions of Tagstream must have in common to run side by side in one cluster: tasks move between their
 * instances, and both read what either writes. If anything differs, the earlier version must stop first.
 *
 * @param tagging a line for each node of the tagging topology: its sub-topology, name, topics, stores and successors
 * @param labels the same for the label encoder's topology
 * @param internalTopics the topics that Kafka Streams keeps for both
 * @param formats the fingerprints of the schemas of internal state, by record name
 */
record Shape(
        SortedSet<String> tagging,
        SortedSet<String> labels,
        SortedSet<String> internalTopics,
        SortedMap<String, String> formats) {
    /** The shape of the version that is running. */
    static Shape of(TagstreamConfig config, SchemaRegistry registry, ModelRuntime model) {
        Contracts contracts = new Contracts(registry);
        Vocabulary vocabulary = new Vocabulary(
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                model.description(),
                contracts.labelEmbedding().deserializer(),
                config::selection);
        TaggingContext shared =
                new TaggingContext(config, contracts, vocabulary, model, new CompositeMeterRegistry(), new Inflow());
        SortedSet<String> internalTopics =
                new TreeSet<>(TaggingTopology.internalTopics(config, config.applicationId()));
        internalTopics.addAll(LabelEncoderTopology.internalTopics(LabelEncoderTopology.applicationId(
                config.applicationId(), model.description().textFingerprint())));
        return new Shape(
                describe(TaggingTopology.build(config, shared)),
                describe(LabelEncoderTopology.build(
                        config, contracts, model, () -> null, new Waits(), new Pace(config.taskForward()))),
                internalTopics,
                stateFormats());
    }

    /** Kafka Streams' own description is in no fixed order. */
    private static SortedSet<String> describe(Topology topology) {
        SortedSet<String> nodes = new TreeSet<>();
        TopologyDescription description = topology.describe();
        description
                .subtopologies()
                .forEach(subtopology -> subtopology
                        .nodes()
                        .forEach(node -> nodes.add("%d %s".formatted(subtopology.id(), describe(node)))));
        description.globalStores().forEach(global -> nodes.add("global " + describe(global.source())));
        return nodes;
    }

    private static String describe(TopologyDescription.Node node) {
        SortedSet<String> attached = new TreeSet<>();
        if (node instanceof TopologyDescription.Source source) {
            source.topicSet().forEach(topic -> attached.add("topic " + topic));
        } else if (node instanceof TopologyDescription.Sink sink) {
            attached.add("topic " + sink.topic());
        } else if (node instanceof TopologyDescription.Processor processor) {
            processor.stores().forEach(store -> attached.add("store " + store));
        }
        node.successors().forEach(successor -> attached.add("to " + successor.name()));
        return node.name() + attached;
    }

    private static SortedMap<String, String> stateFormats() {
        SortedMap<String, String> formats = new TreeMap<>();
        new ClassFileImporter()
                .importPackages("io.tagstream.avro.state").stream()
                        .filter(type -> type.isAssignableTo(SpecificRecord.class))
                        .map(type -> SpecificData.get().getSchema(type.reflect()))
                        .forEach(schema -> formats.put(
                                schema.getName(), "%016x".formatted(SchemaNormalization.parsingFingerprint64(schema))));
        return formats;
    }

    /** What differs from another version; empty if the two can run side by side. */
    List<String> differences(Shape other) {
        List<String> differences = new ArrayList<>();
        if (!tagging.equals(other.tagging)) {
            differences.add("the tagging topology");
        }
        if (!labels.equals(other.labels)) {
            differences.add("the label encoder's topology");
        }
        if (!internalTopics.equals(other.internalTopics)) {
            differences.add("the internal topics");
        }
        SortedSet<String> names = new TreeSet<>(formats.keySet());
        names.addAll(other.formats.keySet());
        for (String name : names) {
            String here = formats.get(name);
            if (here == null || !here.equals(other.formats.get(name))) {
                differences.add("the format of " + name);
            }
        }
        return differences;
    }
}
