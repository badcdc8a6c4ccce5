/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

/** An execution provider is not available. The message names what is missing and says what to do. */
public final class ExecutionProviderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ExecutionProviderException(String message, Throwable cause) {
        super(message, cause);
    }
}
