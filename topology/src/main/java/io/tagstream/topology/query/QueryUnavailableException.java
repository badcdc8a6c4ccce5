/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

/** A query that cannot be answered now, but may be answered later. */
public final class QueryUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is missing, for people to read */
    public QueryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
