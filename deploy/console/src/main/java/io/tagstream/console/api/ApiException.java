/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.HttpStatus;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;

/**
 * An instance's read API did not answer, or answered with a problem. The message says which instance, and what to
 * change.
 */
public final class ApiException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;

    ApiException(URI asked, int status, String detail) {
        super("%s answered %d: %s".formatted(asked, status, detail));
        this.status = status;
    }

    ApiException(URI asked, IOException cause) {
        super("%s did not answer: %s".formatted(asked, reason(cause)), cause);
        this.status = 0;
    }

    private static String reason(IOException cause) {
        if (cause instanceof ConnectException) {
            return "nothing accepts connections there; is Tagstream running, and is this the address of its console?";
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    boolean isNotFound() {
        return status == HttpStatus.NOT_FOUND.getCode();
    }
}
