/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ImageReference;
import io.tagstream.schemas.AvroSerde;
import io.tagstream.schemas.registry.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * Image references from an uploader that is newer than Tagstream: their schema has an additional field, and readers
 * have to ask the registry for the schema.
 */
final class NewerReference {
    private final Schema schema;
    private final int id;

    NewerReference(SchemaRegistry registry, String topic) {
        Schema today = ImageReference.getClassSchema();
        List<Schema.Field> fields = new ArrayList<>();
        today.getFields().forEach(field -> fields.add(new Schema.Field(field, field.schema())));
        Schema optionalText = Schema.createUnion(Schema.create(Schema.Type.NULL), Schema.create(Schema.Type.STRING));
        fields.add(new Schema.Field("uploader", optionalText, "Who uploaded it.", Schema.Field.NULL_DEFAULT_VALUE));
        schema = Schema.createRecord(today.getName(), today.getDoc(), today.getNamespace(), false, fields);
        id = registry.register(AvroSerde.subject(topic), schema);
    }

    /** Encodes a reference in Confluent's wire format. */
    byte[] write(String uri) {
        GenericData.Record reference = new GenericData.Record(schema);
        reference.put("uri", uri);
        reference.put("attributes", Map.of());
        reference.put("uploader", "laboratory");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(0);
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        try {
            new GenericDatumWriter<GenericData.Record>(schema).write(reference, encoder);
            encoder.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
