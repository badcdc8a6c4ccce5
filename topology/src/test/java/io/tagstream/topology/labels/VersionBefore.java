/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.schemas.registry.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumWriter;

/** The bytes that the label encoder wrote before markers named their topic. */
public final class VersionBefore {
    private VersionBefore() {}

    /** A record of label-embeddings. */
    public static byte[] embedding(LabelEmbedding embedding, SchemaRegistry registry) throws IOException {
        Schema schema = schema(LabelEmbedding.class);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int id = registry.register("version-before-value", schema);
        bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new SpecificDatumWriter<LabelEmbedding>(schema).write(embedding, encoder);
        return bytes.toByteArray();
    }

    /** An entry of the encoded-labels store. */
    public static byte[] storedLabel(LabelEmbedding embedding) throws IOException {
        return array(new BinaryMessageEncoder<LabelEmbedding>(SpecificData.get(), schema(LabelEmbedding.class))
                .encode(embedding));
    }

    /** The entry of the encoder-progress store. */
    public static byte[] storedProgress(long processedOffset, long markedOffset, int labels) throws IOException {
        Schema schema = schema(EncoderProgress.class);
        GenericRecord progress = new GenericData.Record(schema);
        progress.put("processedOffset", processedOffset);
        progress.put("markedOffset", markedOffset);
        progress.put("labels", labels);
        return array(new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(progress));
    }

    private static Schema schema(Class<?> type) throws IOException {
        try (InputStream stream = type.getResourceAsStream("earlier/" + type.getSimpleName() + "-1.avsc")) {
            return new Schema.Parser().parse(stream);
        }
    }

    private static byte[] array(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
