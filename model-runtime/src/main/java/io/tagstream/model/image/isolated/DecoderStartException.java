/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

/** Decoder processes do not start here. */
public final class DecoderStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DecoderStartException(String problem, Throwable cause) {
        super("a decoder process does not start: " + problem, cause);
    }
}
