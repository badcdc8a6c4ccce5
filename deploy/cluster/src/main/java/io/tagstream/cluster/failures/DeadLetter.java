/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.DeadLetters.Reason;
import io.tagstream.topology.records.IdDeserializer;
import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record that could not be read at all.
 *
 * @param found the record on dead-letters, with the key and value of the record that could not be read
 * @param reason where the unreadable record was, and why it could not be read
 */
public record DeadLetter(ConsumerRecord<byte[], byte[]> found, Reason reason) {
    static DeadLetter of(ConsumerRecord<byte[], byte[]> found) {
        return new DeadLetter(found, DeadLetters.reason(found.headers()));
    }

    /** The key, as far as it can be shown; null if there is none. */
    public String keyText() {
        return IdDeserializer.describe(found.key());
    }

    /** Where the unreadable record was found: {@code topic-partition@offset}. */
    public String origin() {
        return reason.position();
    }

    /** Where it is now on dead-letters: {@code topic-partition@offset}. */
    public String position() {
        return "%s-%d@%d".formatted(found.topic(), found.partition(), found.offset());
    }

    public Instant writtenAt() {
        return Instant.ofEpochMilli(found.timestamp());
    }
}
