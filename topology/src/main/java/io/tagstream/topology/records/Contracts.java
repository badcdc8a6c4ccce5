/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.schemas.AvroSerde;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidConfigurationException;

/**
 * The serdes of the topics' Avro contracts, over one registry. Thread-safe.
 *
 * <p>{@link #register} is called once at startup, so that no transaction waits for the registry.
 */
public final class Contracts {
    private final AvroSerde<ImageReference> imageReference;
    private final AvroSerde<Label> label;
    private final AvroSerde<LabelEmbedding> labelEmbedding;
    private final AvroSerde<ClusterControl> clusterControl;
    private final AvroSerde<TagEvent> tagEvent;
    private final AvroSerde<TagChange> tagChange;
    private final AvroSerde<ImageFailure> imageFailure;
    private final AvroSerde<LabelFailure> labelFailure;

    public Contracts(SchemaRegistry registry) {
        imageReference = new AvroSerde<>(ImageReference.class, registry);
        label = new AvroSerde<>(Label.class, registry);
        labelEmbedding = new AvroSerde<>(LabelEmbedding.class, registry);
        clusterControl = new AvroSerde<>(ClusterControl.class, registry);
        tagEvent = new AvroSerde<>(TagEvent.class, registry);
        tagChange = new AvroSerde<>(TagChange.class, registry);
        imageFailure = new AvroSerde<>(ImageFailure.class, registry);
        labelFailure = new AvroSerde<>(LabelFailure.class, registry);
    }

    /**
     * Registers every contract under its topic's subject.
     *
     * @throws InvalidConfigurationException if the registry refuses one; the message names the subject and what to change
     * @throws KafkaException as in {@link SchemaRegistry#register}
     */
    public void register(TagstreamConfig config) {
        Map<String, AvroSerde<?>> subjects = new LinkedHashMap<>();
        subjects.put(TagstreamConfig.IMAGES_TOPIC, imageReference);
        subjects.put(TagstreamConfig.LABELS_TOPIC, label);
        subjects.put(TagstreamConfig.EMBEDDINGS_TOPIC, labelEmbedding);
        subjects.put(TagstreamConfig.CONTROL_TOPIC, clusterControl);
        subjects.put(TagstreamConfig.TAGS_TOPIC, tagEvent);
        subjects.put(TagstreamConfig.TAG_CHANGES_TOPIC, tagChange);
        subjects.put(TagstreamConfig.IMAGE_FAILURES_TOPIC, imageFailure);
        subjects.put(TagstreamConfig.LABEL_FAILURES_TOPIC, labelFailure);
        subjects.forEach((key, serde) -> register(key, config.topic(key), serde));
    }

    private static void register(String key, String topic, AvroSerde<?> serde) {
        try {
            serde.register(topic);
        } catch (InvalidConfigurationException e) {
            throw new InvalidConfigurationException(
                    "%s (Name another topic with %s, or delete subject %s if nobody needs its records)"
                            .formatted(e.getMessage(), key, AvroSerde.subject(topic)),
                    e);
        }
    }

    public AvroSerde<ImageReference> imageReference() {
        return imageReference;
    }

    public AvroSerde<Label> label() {
        return label;
    }

    public AvroSerde<LabelEmbedding> labelEmbedding() {
        return labelEmbedding;
    }

    public AvroSerde<ClusterControl> clusterControl() {
        return clusterControl;
    }

    public AvroSerde<TagEvent> tagEvent() {
        return tagEvent;
    }

    public AvroSerde<TagChange> tagChange() {
        return tagChange;
    }

    public AvroSerde<ImageFailure> imageFailure() {
        return imageFailure;
    }

    public AvroSerde<LabelFailure> labelFailure() {
        return labelFailure;
    }
}
