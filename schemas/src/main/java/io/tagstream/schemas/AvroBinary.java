/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Writes and reads one contract's values as Avro binary after a header. It is strict: a value must use all of its
 * bytes.
 *
 * <p>Thread-safe. Avro's readers and writers are too, because the state that they change is per thread.
 */
final class AvroBinary<T extends SpecificRecord> {
    private final Class<T> type;
    private final Schema schema;
    private final SpecificData model;
    private final GenericDatumWriter<T> writer;

    AvroBinary(Class<T> type) {
        TrustedContracts.load();
        this.type = type;
        this.model = SpecificData.getForClass(type);
        this.schema = model.getSchema(type);
        this.writer = new SpecificDatumWriter<>(schema, model);
    }

    Schema schema() {
        return schema;
    }

    byte[] write(byte[] header, T value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        bytes.writeBytes(header);
        try {
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
            writer.write(value, encoder);
            encoder.flush();
        } catch (IOException | RuntimeException invalid) { // for a missing field Avro throws a NullPointerException
            throw new SerializationException(
                    "Cannot write " + schema.getFullName() + ": " + invalid.getMessage(), invalid);
        }
        return bytes.toByteArray();
    }

    GenericDatumReader<T> readerOf(Schema writerSchema) {
        return new SpecificDatumReader<>(writerSchema, schema, model);
    }

    T read(GenericDatumReader<T> reader, byte[] bytes, int headerLength) {
        BinaryDecoder decoder =
                DecoderFactory.get().binaryDecoder(bytes, headerLength, bytes.length - headerLength, null);
        T value;
        int left;
        try {
            value = type.cast(reader.read(null, decoder));
            left = decoder.inputStream().available();
        } catch (EOFException truncated) {
            throw new SerializationException(
                    describe(reader, bytes) + " ends in the middle of a value: truncated?", truncated);
        } catch (IOException | RuntimeException malformed) {
            throw new SerializationException(
                    describe(reader, bytes) + " cannot be read: " + malformed.getMessage(), malformed);
        } catch (StackOverflowError recursive) { // the writer chose the schema, and skipped fields may nest
            throw new SerializationException(describe(reader, bytes) + " is nested too deeply", recursive);
        }
        if (left > 0) {
            throw new SerializationException(describe(reader, bytes) + " has " + left + " bytes after its end");
        }
        return value;
    }

    private String describe(GenericDatumReader<T> reader, byte[] bytes) {
        return "A record of " + bytes.length + " bytes, written as "
                + reader.getSchema().getFullName() + " and read as " + schema.getFullName() + ",";
    }
}
