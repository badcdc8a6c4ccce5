/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Whom an exception is to be blamed on that comes up while a record is worked on.
 *
 * <p>What a record contains, or a bug that it meets, becomes the record's failure at once: the same record would raise
 * the same exception after every restart. Kafka's own exceptions, from stores, from forwarding, from a fenced task, and
 * those of a registry that does not answer are nobody's failure: they pass, the transaction is aborted, and the work is
 * done again.
 *
 * <p>Errors are not for records either: they end the thread, and running out of memory the process. Reading a value that
 * nests without end is an exception by the time it is seen here.
 */
public final class Blame {
    private Blame() {}

    /** Whether the record is to blame, or a bug that it met; if not, the exception must pass. */
    public static boolean isOnRecord(RuntimeException exception) {
        return !(exception instanceof KafkaException) || exception instanceof SerializationException;
    }
}
