/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.avro.state.UndecodedImage;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.IdDeserializer;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads an images record and accepts it: from here on it is owed an outcome. Its origin and headers travel inside the
 * value, since the re-keying topic has offsets of its own. A record that cannot be read becomes a dead letter.
 *
 * <p>A registry that does not answer says nothing about a record: one with an unknown schema is accepted as it is, to
 * be read later ({@link LateDecoding}). Its image id is its key, so its outcome keeps its place.
 */
final class Admission extends ContextualProcessor<byte[], byte[], Object, Object> {
    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    /** A quarter of Kafka Streams' transaction timeout under exactly-once. */
    private static final Duration REGISTRY_PATIENCE = Duration.ofMillis(2_500);

    private static final Duration REGISTRY_PAUSE = Duration.ofMillis(100);

    private final TaggingContext shared;
    private final String topic;

    /** Whether an accepted image can only be read once its re-keying is committed. */
    private final boolean rekeys;

    private PromptCommits.OfTask commits;
    private final IdDeserializer imageIds = new IdDeserializer("image");
    private final Serializer<UndecodedImage> undecodedImages = new StateSerde<>(UndecodedImage.class).serializer();

    Admission(TaggingContext shared) {
        this.shared = shared;
        this.topic = shared.config().topic(TagstreamConfig.IMAGES_TOPIC);
        this.rekeys = shared.config().getBoolean(TagstreamConfig.IMAGES_REPARTITION);
    }

    /** An image id and what is owed an outcome, as bytes. */
    private static final class Accepted {
        private final String id;
        private final byte[] owed;

        Accepted(String id, byte[] owed) {
            this.id = id;
            this.owed = owed;
        }
    }

    @Override
    public void init(ProcessorContext<Object, Object> context) {
        super.init(context);
        commits = shared.commits().of(context);
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
            context()
                    .forward(DeadLetters.of(submitted, metadata, e, shared.limit()), TaggingTopology.DEAD_LETTERS_SINK);
            return;
        }
        context()
                .forward(
                        submitted.withKey(accepted.id).withValue(accepted.owed).withHeaders(new RecordHeaders()),
                        TaggingTopology.ACCEPTED);
        if (rekeys) {
            commits.ask();
        }
    }

    /**
     * Waits a moment for the registry, if a record is too large to be accepted as it is: if the thread died instead, all
     * its partitions would wait for longer.
     */
    private Accepted acceptOnceTheRegistryAnswers(Record<byte[], byte[]> submitted, RecordMetadata metadata) {
        int partition = context().taskId().partition();
        long began = System.nanoTime();
        while (true) {
            try {
                Accepted accepted = accept(submitted, metadata);
                shared.waits().endAtAdmission(partition);
                return accepted;
            } catch (RegistryUnavailableException e) {
                if (shared.waits().beginAtAdmission(partition, new Wait(WaitReason.REGISTRY_AWAY, e.getMessage()))) {
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
        String id = imageIds.deserialize(topic, submitted.key());
        byte[] value = submitted.value();
        RecordOrigin origin = new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset());
        List<RecordHeader> headers = headers(submitted);
        boolean unknown =
                shared.contracts().imageReference().unknownSchema(value).isPresent();
        if (unknown && shared.registry().isAway()) {
            byte[] undecoded = undecoded(id, value, origin, submitted.timestamp(), headers);
            if (shared.limit().fits(submitted.key(), undecoded, List.of())) {
                return new Accepted(id, undecoded);
            }
        }
        try {
            return new Accepted(
                    id,
                    shared.acceptance()
                            .accept(id, value, origin, submitted.timestamp(), headers)
                            .bytes());
        } catch (RuntimeException e) {
            if (!unknown || Blame.isOnRecord(e)) {
                throw e;
            }
            shared.registry().unanswered();
            byte[] undecoded = undecoded(id, value, origin, submitted.timestamp(), headers);
            if (!shared.limit().fits(submitted.key(), undecoded, List.of())) {
                throw e;
            }
            return new Accepted(id, undecoded);
        }
    }

    @Override
    public void close() {
        commits.close();
    }

    private byte[] undecoded(String id, byte[] value, RecordOrigin origin, long timestamp, List<RecordHeader> headers) {
        return undecodedImages.serialize(
                null, new UndecodedImage(id, ByteBuffer.wrap(value), origin, timestamp, headers));
    }

    private static List<RecordHeader> headers(Record<byte[], byte[]> submitted) {
        List<RecordHeader> headers = new ArrayList<>();
        for (Header header : submitted.headers()) {
            byte[] value = header.value();
            headers.add(new RecordHeader(header.key(), value == null ? null : ByteBuffer.wrap(value)));
        }
        return headers;
    }

    /** The bytes of a field of state; null stays null. */
    static byte[] bytes(ByteBuffer field) {
        if (field == null) {
            return null;
        }
        byte[] bytes = new byte[field.remaining()];
        field.duplicate().get(bytes);
        return bytes;
    }
}
