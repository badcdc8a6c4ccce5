/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelFailureReason;

/** A label that cannot be taken into the vocabulary. */
final class RefusedLabelException extends Exception {
    private static final long serialVersionUID = 1L;

    private final LabelFailureReason reason;
    private final transient Label label;

    /** {@code label} is null if it could not be read. */
    RefusedLabelException(LabelFailureReason reason, String message, Label label, Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.label = label;
    }

    LabelFailureReason reason() {
        return reason;
    }

    Label label() {
        return label;
    }

    /** Whether the record itself, key or value, could not be read. */
    boolean unreadable() {
        return label == null;
    }
}
