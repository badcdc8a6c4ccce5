/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import io.tagstream.schemas.registry.SchemaRegistry;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Serde for a contract's values in Confluent's wire format: a zero byte, the schema's id in the registry (four bytes,
 * big-endian), Avro binary. The subject is the topic's name plus {@code -value} (Confluent's TopicNameStrategy). Values
 * written with an older or newer schema are resolved to this version's by Avro's rules. Null stays null in both
 * directions.
 *
 * <p>Errors: if the bytes are wrong, a {@link SerializationException} says what was found. If the registry does not
 * answer or refuses, the exception is one of {@link SchemaRegistry}'s, and no record is at fault.
 *
 * <p><b>Threading notes.</b> The serde, its serializer and its deserializer are safe for use by many threads. Ids and
 * readers are kept in concurrent maps. A thread that sees a topic or an id for the first time waits for the registry.
 *
 * @param <T> generated class of the contract
 */
public final class AvroSerde<T extends SpecificRecord> implements Serde<T> {
    private static final byte MAGIC = 0;
    private static final int HEADER_LENGTH = 1 + Integer.BYTES;

    private final SchemaRegistry registry;
    private final AvroBinary<T> binary;
    private final Schema registeredSchema;
    private final GenericDatumReader<T> ownReader;
    private final Map<String, byte[]> headerByTopic = new ConcurrentHashMap<>();
    private final Map<Integer, GenericDatumReader<T>> readerById = new ConcurrentHashMap<>();

    /**
     * @param type generated class of the contract
     * @param registry registry of the ids; the caller closes it
     */
    public AvroSerde(Class<T> type, SchemaRegistry registry) {
        this.registry = registry;
        this.binary = new AvroBinary<>(type);
        this.registeredSchema = JavaProperties.removedFrom(binary.schema());
        this.ownReader = binary.readerOf(registeredSchema);
    }

    /**
     * The subject of a topic's values.
     *
     * @param topic topic name
     * @return {@code <topic>-value}
     */
    public static String subject(String topic) {
        return topic + "-value";
    }

    /**
     * Registers the contract for a topic. After that, writing to the topic does not wait for the registry, and neither
     * does reading what this version wrote. Otherwise the first write to a topic registers the contract.
     *
     * @param topic topic name
     * @return the schema's id
     * @throws org.apache.kafka.common.KafkaException as in {@link SchemaRegistry#register}
     */
    public int register(String topic) {
        return ByteBuffer.wrap(header(topic)).getInt(1);
    }

    private byte[] header(String topic) {
        byte[] header = headerByTopic.get(topic);
        if (header == null) {
            int id = registry.register(subject(topic), registeredSchema);
            header = ByteBuffer.allocate(HEADER_LENGTH).put(MAGIC).putInt(id).array();
            headerByTopic.put(topic, header);
            readerById.put(id, ownReader);
        }
        return header;
    }

    @Override
    public Serializer<T> serializer() {
        return (topic, value) -> value == null ? null : binary.write(header(topic), value);
    }

    @Override
    public Deserializer<T> deserializer() {
        return (topic, bytes) -> bytes == null ? null : read(bytes);
    }

    /**
     * The id of the schema that reading these bytes will ask the registry for; empty if it will not ask, because the
     * schema is known, or because the bytes name none.
     *
     * @param bytes a record's value; may be null
     */
    public Optional<Integer> unknownSchema(byte[] bytes) {
        if (bytes == null || bytes.length < HEADER_LENGTH || bytes[0] != MAGIC) {
            return Optional.empty();
        }
        int id = schemaId(bytes);
        return readerById.containsKey(id) ? Optional.empty() : Optional.of(id);
    }

    private static int schemaId(byte[] bytes) {
        return ByteBuffer.wrap(bytes).getInt(1);
    }

    private T read(byte[] bytes) {
        if (bytes.length < HEADER_LENGTH) {
            throw new SerializationException("A record of " + bytes.length + " bytes is too short for Confluent's Avro"
                    + " wire format (a zero byte, a schema id of 4 bytes, Avro binary)");
        }
        if (bytes[0] != MAGIC) {
            throw new SerializationException(String.format(
                    "A record of %d bytes starts with 0x%02x%s instead of 0x00, the first byte of Confluent's Avro wire"
                            + " format: write it with an Avro serializer that uses the schema registry",
                    bytes.length, bytes[0], bytes[0] == '{' ? " ('{', JSON?)" : ""));
        }
        int id = schemaId(bytes);
        GenericDatumReader<T> reader = readerById.get(id);
        if (reader == null) {
            reader = binary.readerOf(registry.schemaById(id));
            readerById.put(id, reader);
        }
        return binary.read(reader, bytes, HEADER_LENGTH);
    }
}
