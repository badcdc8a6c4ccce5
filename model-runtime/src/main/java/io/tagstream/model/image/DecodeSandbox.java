/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** Whether the processes that decode are kept from everything else, by Linux's seccomp and limits. */
public enum DecodeSandbox {
    /** Nothing starts without it. */
    REQUIRED,
    /** Where it can be had; the log and health say whether it is in force. */
    AUTO,
    /** Not at all. */
    OFF
}
