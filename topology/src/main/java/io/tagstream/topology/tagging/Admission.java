/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.avro.state.Refusal;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.IdDeserializer;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import io.tagstream.topology.waits.Waits;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads an images record and accepts it: from here on it is owed an outcome. Its origin and headers travel inside the
 * value, since the re-keying topic has offsets of its own. A record that cannot be read becomes a dead letter. A
 * registry that does not answer says nothing about a record, so its exception passes and the record is read again.
 *
 * <p>A record that does not fit into one of ours is accepted without its headers and attributes, as a failure that
 * takes its turn among the outcomes of its image id. A deletion needs neither headers nor attributes.
 */
final class Admission extends ContextualProcessor<byte[], byte[], Object, Object> {
    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    /** A quarter of Kafka Streams' transaction timeout under exactly-once. */
    private static final Duration REGISTRY_PATIENCE = Duration.ofMillis(2_500);

    private static final Duration REGISTRY_PAUSE = Duration.ofMillis(100);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final RecordLimit limit;
    private final Waits waits;
    private final IdDeserializer imageIds = new IdDeserializer("image");
    private final Serializer<PendingImage> pendingImages = new StateSerde<>(PendingImage.class).serializer();

    Admission(TagstreamConfig config, Contracts contracts, RecordLimit limit, Waits waits) {
        this.config = config;
        this.contracts = contracts;
        this.limit = limit;
        this.waits = waits;
    }

    /** An image id and the pending image that is owed an outcome, as bytes. */
    private static final class Accepted {
        private final String id;
        private final byte[] pending;

        Accepted(String id, byte[] pending) {
            this.id = id;
            this.pending = pending;
        }
    }

    @Override
    public void process(Record<byte[], byte[]> submitted) {
        RecordMetadata metadata = context().recordMetadata().orElseThrow();
        Accepted accepted;
        try {
            accepted = acceptOnceTheRegistryAnswers(submitted, metadata);
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.warn(
                    "The record at {}-{}@{} is a dead letter: {}",
                    metadata.topic(),
                    metadata.partition(),
                    metadata.offset(),
                    e.toString());
            context().forward(DeadLetters.of(submitted, metadata, e, limit), TaggingTopology.DEAD_LETTERS_SINK);
            return;
        }
        context()
                .forward(
                        submitted
                                .withKey(accepted.id)
                                .withValue(accepted.pending)
                                .withHeaders(new RecordHeaders()),
                        TaggingTopology.ACCEPTED);
    }

    /** Waits a moment for the registry: if the thread died instead, all its partitions would wait for longer. */
    private Accepted acceptOnceTheRegistryAnswers(Record<byte[], byte[]> submitted, RecordMetadata metadata) {
        int partition = context().taskId().partition();
        long began = System.nanoTime();
        while (true) {
            try {
                Accepted accepted = accept(submitted, metadata);
                waits.endAtAdmission(partition);
                return accepted;
            } catch (RegistryUnavailableException e) {
                if (waits.beginAtAdmission(partition, new Wait(WaitReason.REGISTRY_AWAY, e.getMessage()))) {
                    log.info("Asking the schema registry until it answers: {}", e.getMessage());
                }
                if (System.nanoTime() - began >= REGISTRY_PATIENCE.toNanos()) {
                    throw e;
                }
                LockSupport.parkNanos(REGISTRY_PAUSE.toNanos());
            }
        }
    }

    private Accepted accept(Record<byte[], byte[]> submitted, RecordMetadata metadata) {
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        String id = imageIds.deserialize(topic, submitted.key());
        ImageReference reference =
                contracts.imageReference().deserializer().deserialize(topic, submitted.headers(), submitted.value());
        PendingImage pending = PendingImage.newBuilder()
                .setImageId(id)
                .setReference(reference)
                .setOrigin(new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset()))
                .setTimestamp(submitted.timestamp())
                .setHeaders(headers(submitted))
                .build();
        byte[] whole = pendingImages.serialize(null, pending);
        if (fits(submitted.key(), whole)) {
            return new Accepted(id, whole);
        }
        String message =
                "The reference and its headers need %d bytes, but a record holds at most %d (kafka.max.request.size)"
                        .formatted(RecordLimit.sizeOf(submitted.key(), whole, List.of()), limit.bytes());
        pending.setHeaders(List.of());
        if (reference != null) {
            pending.setReference(TruncatedReference.of(reference));
            pending.setRefusal(new Refusal(ImageFailureReason.RECORD_TOO_LARGE, message));
        }
        byte[] truncated = pendingImages.serialize(null, pending);
        if (!fits(submitted.key(), truncated)) {
            throw new SerializationException(message + "; the image id alone is " + submitted.key().length + " bytes");
        }
        return new Accepted(id, truncated);
    }

    private boolean fits(byte[] id, byte[] pending) {
        return limit.fits(id, pending, List.of());
    }

    private static List<RecordHeader> headers(Record<byte[], byte[]> submitted) {
        List<RecordHeader> headers = new ArrayList<>();
        for (Header header : submitted.headers()) {
            byte[] value = header.value();
            headers.add(new RecordHeader(header.key(), value == null ? null : ByteBuffer.wrap(value)));
        }
        return headers;
    }
}
