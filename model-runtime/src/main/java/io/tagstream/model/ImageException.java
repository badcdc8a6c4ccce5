/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** An image could not be scored. The message says what failed, with which value, and what to change. */
public final class ImageException extends Exception {
    private static final long serialVersionUID = 1L;

    private final FailureReason reason;
    private final int attempts;

    public ImageException(FailureReason reason, String message) {
        this(reason, message, 1, null);
    }

    public ImageException(FailureReason reason, String message, Throwable cause) {
        this(reason, message, 1, cause);
    }

    public ImageException(FailureReason reason, String message, int attempts, Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.attempts = attempts;
    }

    public FailureReason reason() {
        return reason;
    }

    /** How many attempts were made. */
    public int attempts() {
        return attempts;
    }
}
