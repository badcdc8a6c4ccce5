/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.query;

/** A question that cannot be answered now, and may be answered later. */
public final class QueryUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is missing, for people */
    public QueryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
