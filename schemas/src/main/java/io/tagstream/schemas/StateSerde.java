/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Serde for internal state (state stores, changelogs, repartition topics) in Avro's <a
 * href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">single-object encoding</a>: 0xC3
 * 0x01, the schema's 64-bit Rabin fingerprint (little-endian), Avro binary. It never asks a registry, whether in
 * start-up, restoration or operation. Null stays null in both directions.
 *
 * <p>State outlives a version of Tagstream. When the schema of a class changes, its earlier schemas stay as resources
 * beside the class: {@code earlier/<ClassName>-1.avsc}, {@code -2.avsc} and so on. State written with them is resolved
 * to the current schema. Bytes of any other schema cause an {@link UnknownStateException}, and anything else that
 * cannot be read a {@link SerializationException}.
 *
 * <p><b>Threading notes.</b> Immutable after construction; safe for use by many threads.
 *
 * @param <T> generated class, in {@code io.tagstream.avro.state}
 */
public final class StateSerde<T extends SpecificRecord> implements Serde<T> {
    private static final byte[] MAGIC = {(byte) 0xC3, 0x01};
    private static final int HEADER_LENGTH = MAGIC.length + Long.BYTES;

    private final AvroBinary<T> binary;
    private final byte[] header;
    private final Map<Long, GenericDatumReader<T>> readerByFingerprint = new HashMap<>();

    /**
     * @param type generated class
     */
    public StateSerde(Class<T> type) {
        this.binary = new AvroBinary<>(type);
        this.header = header(SchemaNormalization.parsingFingerprint64(binary.schema()));
        add(binary.schema());
        for (int number = 1; ; number++) {
            String resource = "earlier/" + type.getSimpleName() + "-" + number + ".avsc";
            try (InputStream stream = type.getResourceAsStream(resource)) {
                if (stream == null) {
                    break;
                }
                add(new Schema.Parser().parse(stream));
            } catch (IOException exception) {
                throw new UncheckedIOException("Cannot read " + resource + " beside " + type.getName(), exception);
            }
        }
    }

    private void add(Schema writerSchema) {
        readerByFingerprint.put(SchemaNormalization.parsingFingerprint64(writerSchema), binary.readerOf(writerSchema));
    }

    private static byte[] header(long fingerprint) {
        return ByteBuffer.allocate(HEADER_LENGTH)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .putLong(fingerprint)
                .array();
    }

    @Override
    public Serializer<T> serializer() {
        return (topic, value) -> value == null ? null : binary.write(header, value);
    }

    @Override
    public Deserializer<T> deserializer() {
        return (topic, bytes) -> bytes == null ? null : read(bytes);
    }

    /**
     * Whether bytes are of this class, in any of its known versions: where a store has values of several classes.
     *
     * @param bytes a store's value
     */
    public boolean isOfThisClass(byte[] bytes) {
        return isSingleObject(bytes) && readerByFingerprint.containsKey(fingerprint(bytes));
    }

    private static boolean isSingleObject(byte[] bytes) {
        return bytes.length >= HEADER_LENGTH && bytes[0] == MAGIC[0] && bytes[1] == MAGIC[1];
    }

    private static long fingerprint(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(MAGIC.length);
    }

    private T read(byte[] bytes) {
        if (!isSingleObject(bytes)) {
            throw new SerializationException(
                    "A state entry of " + bytes.length + " bytes is not in Avro's single-object encoding (0xC3 0x01, an"
                            + " 8-byte fingerprint, Avro binary)");
        }
        long fingerprint = fingerprint(bytes);
        GenericDatumReader<T> reader = readerByFingerprint.get(fingerprint);
        if (reader == null) {
            throw new UnknownStateException(String.format(
                    "A state entry of %d bytes has the schema fingerprint %016x, which belongs to no known version of"
                            + " %s: a newer version of Tagstream wrote it; run that version",
                    bytes.length, fingerprint, binary.schema().getFullName()));
        }
        return binary.read(reader, bytes, HEADER_LENGTH);
    }
}
