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
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Reads the value of an images record, and makes a pending image of it.
 *
 * <p>A record that does not fit into one of ours is accepted without its headers and attributes, as a failure that
 * takes its turn among the outcomes of its image id. A deletion needs neither headers nor attributes.
 *
 * <p><i>Threading notes.</i> Thread-safe.
 */
final class Acceptance {
    private final String topic;
    private final Contracts contracts;
    private final RecordLimit limit;
    private final Serializer<PendingImage> pendingImages = new StateSerde<>(PendingImage.class).serializer();

    Acceptance(TagstreamConfig config, Contracts contracts, RecordLimit limit) {
        this.topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        this.contracts = contracts;
        this.limit = limit;
    }

    /** A pending image, and the same as bytes. */
    static final class Accepted {
        private final PendingImage image;
        private final byte[] bytes;

        private Accepted(PendingImage image, byte[] bytes) {
            this.image = image;
            this.bytes = bytes;
        }

        PendingImage image() {
            return image;
        }

        byte[] bytes() {
            return bytes;
        }
    }

    /**
     * Reads a record. May wait for the schema registry, if the schema is not known.
     *
     * @param value null for a deletion
     * @throws SerializationException if the value cannot be read, or not even its id fits
     */
    Accepted accept(String id, byte[] value, RecordOrigin origin, long timestamp, List<RecordHeader> headers) {
        ImageReference reference = contracts.imageReference().deserializer().deserialize(topic, value);
        PendingImage pending = PendingImage.newBuilder()
                .setImageId(id)
                .setReference(reference)
                .setOrigin(origin)
                .setTimestamp(timestamp)
                .setHeaders(headers)
                .build();
        byte[] key = id.getBytes(StandardCharsets.UTF_8);
        byte[] whole = pendingImages.serialize(null, pending);
        if (limit.fits(key, whole, List.of())) {
            return new Accepted(pending, whole);
        }
        String message =
                "The reference and its headers need %d bytes, but a record holds at most %d (kafka.max.request.size)"
                        .formatted(RecordLimit.sizeOf(key, whole, List.of()), limit.bytes());
        pending.setHeaders(List.of());
        if (reference != null) {
            pending.setReference(TruncatedReference.of(reference));
            pending.setRefusal(new Refusal(ImageFailureReason.RECORD_TOO_LARGE, message));
        }
        byte[] truncated = pendingImages.serialize(null, pending);
        if (!limit.fits(key, truncated, List.of())) {
            throw new SerializationException(message + "; the image id alone is " + key.length + " bytes");
        }
        return new Accepted(pending, truncated);
    }
}
