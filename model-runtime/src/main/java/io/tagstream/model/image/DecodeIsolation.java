/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** Where images are decoded. */
public enum DecodeIsolation {
    /** In child processes: what crashes or hangs a decoder costs its image alone. */
    PROCESS,
    /** Inside this process: nothing is started and nothing copied, and a crash of a decoder ends the process. */
    NONE
}
