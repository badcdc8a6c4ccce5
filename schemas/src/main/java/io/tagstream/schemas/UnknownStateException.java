/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import org.apache.kafka.common.KafkaException;

/**
 * State of a schema that this version does not know, as a newer version leaves it. The state is whole, and no fault of
 * what it is about: it is to be left to the version that can read it.
 */
public final class UnknownStateException extends KafkaException {
    private static final long serialVersionUID = 1L;

    public UnknownStateException(String message) {
        super(message);
    }
}
