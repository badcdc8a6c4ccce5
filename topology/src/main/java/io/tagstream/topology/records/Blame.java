/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Who is to blame for an exception that is thrown while a record is being processed.
 *
 * <p>An exception that the record's contents or a bug causes becomes the record's failure at once: the same record
 * would raise the same exception after every restart. Kafka's own exceptions (from stores, from forwarding, from a
 * fenced task) and those of a registry that does not answer are nobody's failure: they pass, the transaction is
 * aborted, and the work is done again.
 *
 * <p>Errors are not blamed on records either: they end the thread, and running out of memory ends the process. A
 * value that nests without end has already caused an exception, not an error, when it is seen here.
 */
public final class Blame {
    private Blame() {}

    /** Whether the record, or a bug that it met, is to blame; if not, the exception must pass. */
    public static boolean isOnRecord(RuntimeException exception) {
        return !(exception instanceof KafkaException) || exception instanceof SerializationException;
    }
}
