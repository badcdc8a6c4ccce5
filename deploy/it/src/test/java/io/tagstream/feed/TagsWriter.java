/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.Cause;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes a tags topic in transactions, as Tagstream does, and knows what an index of it must hold. */
public final class TagsWriter implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> WORDS = List.of("cat", "dog", "heron", "mountain", "tree", "coffee", "rocket");

    private final String topic;
    private final KafkaProducer<String, TagEvent> producer;
    private final Map<String, JsonNode> documents = new TreeMap<>();
    private final Map<String, Long> versions = new HashMap<>();
    private final Set<String> deleted = new TreeSet<>();

    public TagsWriter(TagstreamConfig config, Contracts contracts) {
        this.topic = config.topic(TagstreamConfig.TAGS_TOPIC);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "tags-writer-" + System.nanoTime());
        this.producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.tagEvent().serializer());
        producer.initTransactions();
    }

    /** An event for an image; each {@code number} gives another state of the image. */
    public static TagEvent event(String imageId, int number) {
        List<Tag> tags = new ArrayList<>();
        for (int i = 0; i <= number % 3; i++) {
            String word = WORDS.get((number + i) % WORDS.size());
            tags.add(new Tag("label-" + word, word, (float) (0.9 - 0.1 * i), 0.5f));
        }
        return new TagEvent(
                "https://example.org/%s-%d.jpg".formatted(imageId, number),
                "%064x".formatted(number),
                640,
                480,
                tags,
                Map.of("album", "a" + number % 10, "by", "Zoë"),
                new Model("everyday", "1 cpu float32"),
                7L,
                Cause.NEW_IMAGE,
                Instant.ofEpochMilli(1_700_000_000_000L + number));
    }

    /** Events by image ID, with documents of more than eight kilobytes each. */
    public static Map<String, TagEvent> longEvents(int number) {
        Map<String, TagEvent> events = new TreeMap<>();
        for (int i = 0; i < number; i++) {
            TagEvent event = event("long-" + i, i);
            event.setAttributes(Map.of("caption", "a word and ".repeat(800)));
            events.put("long-" + i, event);
        }
        return events;
    }

    /** Writes records by image ID in one transaction: events, or null for a deletion. */
    public void write(Map<String, TagEvent> records) {
        Instant time = Instant.ofEpochMilli(System.currentTimeMillis());
        producer.beginTransaction();
        Map<String, java.util.concurrent.Future<RecordMetadata>> sent = new HashMap<>();
        records.forEach((id, event) ->
                sent.put(id, producer.send(new ProducerRecord<>(topic, null, time.toEpochMilli(), id, event))));
        producer.commitTransaction();
        sent.forEach((id, metadata) -> versions.put(id, offset(metadata)));
        records.forEach((id, event) -> {
            if (event == null) {
                documents.remove(id);
                deleted.add(id);
            } else {
                documents.put(id, document(event, time));
                deleted.remove(id);
            }
        });
    }

    /** Writes an image's event. */
    public void write(String imageId, int number) {
        write(Map.of(imageId, event(imageId, number)));
    }

    /** Deletes an image. */
    public void delete(String imageId) {
        Map<String, TagEvent> deletion = new HashMap<>();
        deletion.put(imageId, null);
        write(deletion);
    }

    /** Writes records and aborts the transaction, so that no reader may see them. */
    public void abort(Map<String, TagEvent> records) {
        producer.beginTransaction();
        records.forEach((id, event) -> {
            var unused = producer.send(new ProducerRecord<>(topic, id, event));
        });
        producer.flush();
        producer.abortTransaction();
    }

    private static long offset(java.util.concurrent.Future<RecordMetadata> metadata) {
        try {
            return metadata.get().offset();
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("A record of a committed transaction has an offset", e);
        }
    }

    private static JsonNode document(TagEvent event, Instant time) {
        try {
            return JSON.readTree(TagDocument.of(event, time));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The documents that searches must find, by image ID. */
    public Map<String, JsonNode> documents() {
        return documents;
    }

    /** The images whose latest record is a deletion. */
    public Set<String> deleted() {
        return deleted;
    }

    /** The offset of each image's latest record. */
    public Map<String, Long> versions() {
        return versions;
    }

    @Override
    public void close() {
        producer.close();
    }
}
