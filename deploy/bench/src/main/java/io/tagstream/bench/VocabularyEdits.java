/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.query.SweepProgress;
import io.tagstream.topology.records.Contracts;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Repeatedly adds a label to the vocabulary in place of the one that it added before, and tells whether known images
 * have followed. All these labels are alike, but each is new to Tagstream. Used by one thread; Kafka's acknowledgements
 * arrive on another.
 */
final class VocabularyEdits implements AutoCloseable {
    private static final long UNKNOWN = Long.MAX_VALUE;

    private final String topic;
    private final Producer<String, Label> producer;
    private final Supplier<SweepProgress> progress;
    private final Label like;
    private final AtomicLong offset = new AtomicLong();
    private int added;

    /**
     * Edits a vocabulary.
     *
     * @param like the label that the added labels copy
     * @param progress the progress of the images that follow
     */
    VocabularyEdits(TagstreamConfig config, Contracts contracts, Label like, Supplier<SweepProgress> progress) {
        this.topic = config.topic(TagstreamConfig.LABELS_TOPIC);
        this.like = like;
        this.progress = progress;
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        this.producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.label().serializer());
        producer.partitionsFor(topic); // otherwise the first edit would wait for the metadata
    }

    /**
     * Adds the next label, with the given threshold, or the model's for null, and removes the one before. Returns its
     * id.
     */
    String next(Double threshold) {
        if (added > 0) {
            send(id(), null);
        }
        added++;
        send(
                id(),
                Label.newBuilder(like)
                        .setThreshold(threshold)
                        .setState(LabelState.ACTIVE)
                        .build());
        return id();
    }

    /** Removes the label. */
    void remove() {
        send(id(), null);
    }

    private String id() {
        return "bench-edit-" + added;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // an unwritten edit shows because it is never followed
    private void send(String id, Label label) {
        offset.set(UNKNOWN);
        producer.send(new ProducerRecord<>(topic, id, label), (written, exception) -> {
            if (exception == null) {
                offset.set(written.offset());
            }
        });
    }

    /** Whether all known images follow the last edit. */
    boolean followed() {
        SweepProgress now = progress.get();
        return now.targetEpoch() >= offset.get() && !now.active();
    }

    @Override
    public void close() {
        producer.close();
    }
}
