/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** A label's text cannot be encoded. The message says what failed, with which value, and what to change. */
public final class LabelTextException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong with the text. */
    public enum Reason {
        EMPTY_NAME,
        BAD_PROMPT,
        TOO_MANY_PROMPTS,
        TEXT_TOO_LONG,
        MODEL_ERROR
    }

    private final Reason reason;

    public LabelTextException(Reason reason, String message) {
        this(reason, message, null);
    }

    public LabelTextException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
