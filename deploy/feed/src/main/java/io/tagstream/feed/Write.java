/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** A record of tags on its way into the index. Used by the feed's thread. */
public final class Write {
    private final ConsumerRecord<byte[], byte[]> found;
    private final String imageId;
    private final byte[] document;
    private int attempts;

    /**
     * @param found the record
     * @param imageId its key
     * @param document the document to index, JSON
     */
    Write(ConsumerRecord<byte[], byte[]> found, String imageId, byte[] document) {
        this.found = found;
        this.imageId = imageId;
        this.document = document;
    }

    ConsumerRecord<byte[], byte[]> found() {
        return found;
    }

    public String imageId() {
        return imageId;
    }

    public byte[] document() {
        return document;
    }

    boolean isDeletion() {
        return found.value() == null;
    }

    TopicPartition partition() {
        return new TopicPartition(found.topic(), found.partition());
    }

    /** The record's offset, which is the document's version. */
    public long offset() {
        return found.offset();
    }

    /** The record's timestamp. */
    Instant writtenAt() {
        return writtenAt(found);
    }

    static Instant writtenAt(ConsumerRecord<byte[], byte[]> found) {
        return Instant.ofEpochMilli(Math.max(0, found.timestamp()));
    }

    /** Counts a failed attempt; returns the number of failed attempts so far. */
    int countFailure() {
        return ++attempts;
    }
}
