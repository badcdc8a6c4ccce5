/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** Where images are decoded. */
public enum DecodeIsolation {
    /** In child processes: an image that crashes or hangs a decoder affects no other image. */
    PROCESS,
    /** Inside this process: nothing is started or copied, but a decoder that crashes ends the process. */
    NONE
}
