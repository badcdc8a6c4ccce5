/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster;

/** A failure that the user can act on: the message says what failed, with which value, and what to change. */
public final class OperatorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

    /** The kind of failure. */
    public enum Kind {
        /** The request is wrong: an option, a key, or a file that was named. Nothing was done. */
        INVALID,
        /** The work could not be done. */
        FAILED,
        /** Something did not answer, and may answer later. */
        UNAVAILABLE
    }

    private OperatorException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** The request is wrong. */
    public static OperatorException invalid(String message) {
        return new OperatorException(Kind.INVALID, message, null);
    }

    /** The request is wrong. */
    public static OperatorException invalid(String message, Throwable cause) {
        return new OperatorException(Kind.INVALID, message, cause);
    }

    /** The work could not be done. */
    public static OperatorException failed(String message) {
        return new OperatorException(Kind.FAILED, message, null);
    }

    /** The work could not be done. */
    public static OperatorException failed(String message, Throwable cause) {
        return new OperatorException(Kind.FAILED, message, cause);
    }

    /** The work could not be done, because something did not answer that may answer later. */
    public static OperatorException unavailable(String message, Throwable cause) {
        return new OperatorException(Kind.UNAVAILABLE, message, cause);
    }

    public Kind kind() {
        return kind;
    }
}
