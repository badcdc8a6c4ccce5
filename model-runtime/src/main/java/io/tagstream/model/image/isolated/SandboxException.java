/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

/** The sandbox of decoder processes is required, and not available here. */
public final class SandboxException extends DecoderStartException {
    private static final long serialVersionUID = 1L;

    SandboxException(String why) {
        super("it cannot be sandboxed: " + why, null);
    }
}
