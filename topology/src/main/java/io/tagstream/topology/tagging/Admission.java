/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.topology.Contracts;
import io.tagstream.topology.DeadLetters;
import io.tagstream.topology.IdDeserializer;
import io.tagstream.topology.TagstreamConfig;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * Reads an images record and accepts it: from here on it owes an outcome. Its origin and headers travel inside the
 * value, since the re-keying topic has offsets of its own. What cannot be read is a dead letter; a registry that does
 * not answer says nothing about a record, so that its exception passes and the record is read again.
 */
final class Admission extends ContextualProcessor<byte[], byte[], Object, Object> {
    private final TagstreamConfig config;
    private final Contracts contracts;
    private final IdDeserializer imageIds = new IdDeserializer("image");

    Admission(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
    }

    @Override
    public void process(Record<byte[], byte[]> submitted) {
        RecordMetadata metadata = context().recordMetadata().orElseThrow();
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        String id;
        ImageReference reference;
        try {
            id = imageIds.deserialize(topic, submitted.key());
            reference = contracts
                    .imageReference()
                    .deserializer()
                    .deserialize(topic, submitted.headers(), submitted.value());
        } catch (SerializationException unreadable) {
            context().forward(DeadLetters.of(submitted, metadata, unreadable), TaggingTopology.DEAD_LETTERS_SINK);
            return;
        }
        List<RecordHeader> headers = new ArrayList<>();
        for (Header header : submitted.headers()) {
            byte[] value = header.value();
            headers.add(new RecordHeader(header.key(), value == null ? null : ByteBuffer.wrap(value)));
        }
        PendingImage pending = new PendingImage(
                id,
                reference,
                new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset()),
                submitted.timestamp(),
                headers,
                null);
        context()
                .forward(
                        submitted.withKey(id).withValue(pending).withHeaders(new RecordHeaders()),
                        TaggingTopology.ACCEPTED);
    }
}
