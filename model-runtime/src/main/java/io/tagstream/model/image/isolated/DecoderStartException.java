/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

/** Decoder processes do not start here. */
public sealed class DecoderStartException extends RuntimeException permits SandboxException {
    private static final long serialVersionUID = 1L;

    DecoderStartException(String problem, Throwable cause) {
        super("a decoder process does not start: " + problem, cause);
    }
}
