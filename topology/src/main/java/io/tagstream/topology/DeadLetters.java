/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * Records that cannot be read go to the dead-letters topic as they were found, with the headers of Kafka's own
 * dead-letter support (KIP-1034), and the stream goes on.
 *
 * <p>The processors read keys and values themselves and write dead letters through a sink. Kafka's deserialization
 * handler would write the letter without the offset of what it skipped, until a readable record follows: after a
 * restart the letter would be there twice.
 */
public final class DeadLetters {
    // KIP-1034's names; Kafka keeps the constants in an internal class.
    private static final String EXCEPTION = "__streams.errors.exception";
    private static final String STACKTRACE = "__streams.errors.stacktrace";
    private static final String MESSAGE = "__streams.errors.message";
    private static final String TOPIC = "__streams.errors.topic";
    private static final String PARTITION = "__streams.errors.partition";
    private static final String OFFSET = "__streams.errors.offset";

    private DeadLetters() {}

    /** A record as it was found, with the headers that say where and why. */
    public static Record<byte[], byte[]> of(
            Record<byte[], byte[]> found, RecordMetadata metadata, Exception exception) {
        Headers headers = new RecordHeaders(found.headers());
        StringWriter stackTrace = new StringWriter();
        exception.printStackTrace(new PrintWriter(stackTrace));
        headers.add(EXCEPTION, utf8(exception.getClass().getName()));
        headers.add(MESSAGE, utf8(String.valueOf(exception.getMessage())));
        headers.add(STACKTRACE, utf8(stackTrace.toString()));
        headers.add(TOPIC, utf8(metadata.topic()));
        headers.add(PARTITION, utf8(String.valueOf(metadata.partition())));
        headers.add(OFFSET, utf8(String.valueOf(metadata.offset())));
        return found.withHeaders(headers);
    }

    /** A dead letter in a sentence, by its headers: which record, and what is wrong with it. */
    public static String describe(Headers headers) {
        return "the record at %s-%s@%s cannot be read: %s"
                .formatted(
                        text(headers, TOPIC), text(headers, PARTITION), text(headers, OFFSET), text(headers, MESSAGE));
    }

    private static String text(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null ? "?" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
