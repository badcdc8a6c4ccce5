/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.state;

import org.apache.kafka.streams.errors.StreamsException;

/** The state directory cannot be used: the message says why, and what to do. Nothing is lost, since Kafka has it all. */
public final class UnusableStateException extends StreamsException {
    private static final long serialVersionUID = 1L;

    UnusableStateException(String message, Throwable cause) {
        super(message, cause);
    }
}
