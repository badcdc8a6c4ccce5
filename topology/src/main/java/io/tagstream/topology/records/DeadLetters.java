/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import io.tagstream.avro.RecordOrigin;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * Writes records that cannot be read to the dead-letters topic as they were found, with the headers of Kafka's own
 * dead-letter support (KIP-1034), so that the stream continues.
 *
 * <p>The processors deserialize keys and values themselves and write dead letters through a sink. Kafka's
 * deserialization handler would write the letter without committing the offset of the skipped record until a readable
 * record follows: after a restart the letter would be written twice.
 */
public final class DeadLetters {
    // KIP-1034's names; Kafka keeps the constants in an internal class.
    private static final String PREFIX = "__streams.errors.";
    private static final String EXCEPTION = PREFIX + "exception";
    private static final String STACKTRACE = PREFIX + "stacktrace";
    private static final String MESSAGE = PREFIX + "message";
    private static final String TOPIC = PREFIX + "topic";
    private static final String PARTITION = PREFIX + "partition";
    /** Tagstream's own header: the letter is not the whole record, which did not fit. */
    private static final String TRUNCATED = "tagstream.truncated";

    private static final String OFFSET = PREFIX + "offset";

    private DeadLetters() {}

    /** A record as it was found, with headers that say where it was found and why it is here. */
    public static Record<byte[], byte[]> of(
            Record<byte[], byte[]> found, RecordMetadata metadata, Exception exception, RecordLimit limit) {
        RecordOrigin origin = new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset());
        return of(found, origin, exception, limit);
    }

    /** The same for a record that is not the one being processed. */
    public static Record<byte[], byte[]> of(
            Record<byte[], byte[]> found, RecordOrigin origin, Exception exception, RecordLimit limit) {
        Headers position = new RecordHeaders()
                .add(TOPIC, utf8(origin.getTopic()))
                .add(PARTITION, utf8(String.valueOf(origin.getPartition())))
                .add(OFFSET, utf8(String.valueOf(origin.getOffset())));
        return of(found, position, exception, limit);
    }

    /**
     * A state store's entry as it was found. Its offset is unknown.
     *
     * @param changelog the store's changelog topic
     * @param timestamp milliseconds since the epoch
     */
    public static Record<byte[], byte[]> ofEntry(
            byte[] entry, String changelog, int partition, long timestamp, Exception exception, RecordLimit limit) {
        Headers position =
                new RecordHeaders().add(TOPIC, utf8(changelog)).add(PARTITION, utf8(String.valueOf(partition)));
        return of(new Record<>(null, entry, timestamp), position, exception, limit);
    }

    /**
     * Leaves out what does not fit: first the stack trace; then the value and the found headers, and the key, too, if it
     * does not fit by itself. A header says if the record is not whole.
     */
    private static Record<byte[], byte[]> of(
            Record<byte[], byte[]> found, Headers position, Exception exception, RecordLimit limit) {
        StringWriter stackTrace = new StringWriter();
        exception.printStackTrace(new PrintWriter(stackTrace));
        Headers reason = new RecordHeaders(position)
                .add(EXCEPTION, utf8(exception.getClass().getName()))
                .add(MESSAGE, utf8(Shortened.of(String.valueOf(exception.getMessage()))));
        Headers all = joined(found.headers(), reason).add(STACKTRACE, utf8(stackTrace.toString()));
        if (limit.fits(found.key(), found.value(), all)) {
            return found.withHeaders(all);
        }
        Headers withoutTrace = joined(found.headers(), reason);
        if (limit.fits(found.key(), found.value(), withoutTrace)) {
            return found.withHeaders(withoutTrace);
        }
        reason.add(
                TRUNCATED,
                utf8("the record of up to " + RecordLimit.sizeOf(found.key(), found.value(), found.headers())
                        + " bytes does not fit into a dead letter"));
        byte[] key = limit.fits(found.key(), null, reason) ? found.key() : null;
        return found.withKey(key).withValue((byte[]) null).withHeaders(reason);
    }

    private static Headers joined(Headers found, Headers added) {
        Headers headers = new RecordHeaders(found);
        added.forEach(headers::add);
        return headers;
    }

    /**
     * Why a record is a dead letter, according to its headers; a question mark for anything that they do not say.
     *
     * @param offset the record's offset where it was found
     * @param exception the exception's class
     * @param truncated whether the letter is not the whole record
     */
    public record Reason(
            String topic, String partition, String offset, String exception, String message, boolean truncated) {
        /** Where the record was found: {@code topic-partition@offset}. */
        public String position() {
            return topic + "-" + partition + "@" + offset;
        }

        /** One sentence: which record it is, and what is wrong with it. */
        public String describe() {
            return "the record at %s cannot be read: %s".formatted(position(), message);
        }
    }

    /** Reads a dead letter's headers. */
    public static Reason reason(Headers headers) {
        return new Reason(
                text(headers, TOPIC),
                text(headers, PARTITION),
                text(headers, OFFSET),
                text(headers, EXCEPTION),
                text(headers, MESSAGE),
                headers.lastHeader(TRUNCATED) != null);
    }

    /** The headers that a dead letter's record had when it was found. */
    public static Headers original(Headers headers) {
        Headers original = new RecordHeaders();
        for (Header header : headers) {
            if (!header.key().startsWith(PREFIX)) {
                original.add(header);
            }
        }
        return original;
    }

    private static String text(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null || header.value() == null ? "?" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
