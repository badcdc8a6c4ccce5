/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;

/** The header that numbers submissions, and that their outcomes inherit. */
final class Sequences {
    private static final String HEADER = "lab-sequence";

    private Sequences() {}

    static void put(ProducerRecord<?, ?> submission, long sequence) {
        submission.headers().add(HEADER, Long.toString(sequence).getBytes(StandardCharsets.UTF_8));
    }

    static OptionalLong of(ConsumerRecord<?, ?> found) {
        Header header = found.headers().lastHeader(HEADER);
        return header == null
                ? OptionalLong.empty()
                : OptionalLong.of(Long.parseLong(new String(header.value(), StandardCharsets.UTF_8)));
    }
}
