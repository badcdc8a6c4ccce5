/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import org.eclipse.jetty.http.HttpException;

/** A request's body is too large, or arrived too slowly. */
public final class UnfitBodyException extends HttpException.RuntimeException {
    private static final long serialVersionUID = 1L;

    UnfitBodyException(int status, String detail) {
        super(status, detail);
    }
}
