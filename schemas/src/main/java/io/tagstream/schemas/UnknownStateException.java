/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import org.apache.kafka.common.KafkaException;

/**
 * State has a schema that this version does not know, because a newer version wrote it. The state is intact, and what
 * it describes is not at fault: leave it to the version that can read it.
 */
public final class UnknownStateException extends KafkaException {
    private static final long serialVersionUID = 1L;

    public UnknownStateException(String message) {
        super(message);
    }
}
