/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.TopicScan;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.IdDeserializer;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The vocabulary's topic as a table that can be read and replaced. Used by one thread. */
public final class VocabularyTopic {
    private static final Logger log = LoggerFactory.getLogger(VocabularyTopic.class);

    private final IdDeserializer ids = new IdDeserializer("label");
    private final TagstreamConfig config;
    private final Contracts contracts;
    private final String topic;
    private final LabelLimits limits;

    public VocabularyTopic(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
        this.topic = config.topic(TagstreamConfig.LABELS_TOPIC);
        this.limits = LabelLimits.of(config);
    }

    /**
     * A state of the topic.
     *
     * @param labels the labels by their ids
     * @param lastOffset the offset of the last record, or -1 if there is none
     */
    public record Contents(Map<String, Label> labels, long lastOffset) {}

    /** What labels may be. */
    public LabelLimits limits() {
        return limits;
    }

    /**
     * Refuses changes that the label encoder would refuse, before anything is written.
     *
     * @param present the labels in force by their ids
     * @param changes labels by their ids, null for a label to remove
     * @throws OperatorException of kind INVALID, if a label is refused
     */
    public void requireWithinLimits(Map<String, Label> present, Map<String, Label> changes) {
        Map<String, LabelLimits.Refusal> refusals = limits.refusals(present, changes);
        if (!refusals.isEmpty()) {
            throw OperatorException.invalid("%s; nothing was changed%s"
                    .formatted(
                            refusals.values().iterator().next().message(),
                            refusals.size() == 1 ? "" : " (%d labels are refused)".formatted(refusals.size())));
        }
    }

    /** Reads the topic to its current end. As in the label encoder, a record that cannot be read changes nothing. */
    public Contents read() {
        Map<String, Label> labels = new LinkedHashMap<>();
        AtomicLong lastOffset = new AtomicLong(-1); // not the end offset, which may be that of a transaction's marker
        try (TopicScan scan = new TopicScan(config)) {
            scan.read(TagstreamConfig.LABELS_TOPIC, Optional.empty(), record -> {
                lastOffset.set(record.offset());
                try {
                    String id = ids.deserialize(record.topic(), record.key());
                    Label label = contracts.label().deserializer().deserialize(record.topic(), record.value());
                    if (label == null) {
                        labels.remove(id);
                    } else {
                        labels.put(id, label);
                    }
                } catch (SerializationException e) {
                    log.debug("The label at {}@{} cannot be read", record.topic(), record.offset(), e);
                }
            });
        }
        return new Contents(labels, lastOffset.get());
    }

    /**
     * Makes {@code wanted} the vocabulary: writes the labels that differ and removes those that are not in
     * {@code wanted}.
     *
     * @return the state of the topic afterwards
     * @throws OperatorException of kind INVALID, if a label is refused; nothing is written then
     */
    public Contents replace(Map<String, Label> wanted) {
        Contents before = read();
        Map<String, Label> changes = changes(before.labels(), wanted, true);
        if (changes.isEmpty()) {
            return before;
        }
        requireWithinLimits(before.labels(), changes);
        List<Long> offsets = write(limits.inOrder(before.labels(), changes));
        return new Contents(wanted, offsets.get(offsets.size() - 1));
    }

    /**
     * Returns the changes that turn one vocabulary into another: labels by their ids, null for a label to remove.
     *
     * @param removing whether to remove labels that are not wanted
     */
    public static Map<String, Label> changes(Map<String, Label> present, Map<String, Label> wanted, boolean removing) {
        Map<String, Label> changes = new LinkedHashMap<>(wanted);
        changes.entrySet().removeIf(label -> label.getValue().equals(present.get(label.getKey())));
        if (removing) {
            present.keySet().stream().filter(id -> !wanted.containsKey(id)).forEach(id -> changes.put(id, null));
        }
        return changes;
    }

    /**
     * Writes changes: labels by their ids, null for a label to remove.
     *
     * @return the offsets of the records, ascending
     * @throws KafkaException if a record is not acknowledged; others may have been acknowledged
     */
    public List<Long> write(Map<String, Label> changes) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        List<Long> offsets = new ArrayList<>();
        try (Producer<String, Label> producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.label().serializer())) {
            List<Future<RecordMetadata>> written = new ArrayList<>();
            changes.forEach((id, label) -> written.add(producer.send(new ProducerRecord<>(topic, id, label))));
            producer.flush();
            for (Future<RecordMetadata> record : written) {
                offsets.add(record.get().offset());
            }
        } catch (ExecutionException e) {
            throw new KafkaException("The vocabulary cannot be written to topic " + topic, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while writing the vocabulary", e);
        }
        offsets.sort(null);
        return offsets;
    }
}
