/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.TimestampExtractor;

/**
 * The record's timestamp, but no earlier than 0 and no later than now. At a negative timestamp, Kafka Streams stops the
 * thread or drops the record, and brokers refuse a timestamp more than an hour ahead
 * ({@code log.message.timestamp.after.max.ms}): the sender of a record must not be able to cause either.
 */
public final class RecordTimestamp implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> consumed, long partitionTime) {
        return of(consumed.timestamp());
    }

    /** The same limits for a plain timestamp. */
    public static long of(long timestamp) {
        return Math.max(0, Math.min(timestamp, System.currentTimeMillis()));
    }
}
