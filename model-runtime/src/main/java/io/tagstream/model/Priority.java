/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** Who goes first when images wait for the model. */
public enum Priority {
    /** Someone waits for it. */
    FRESH,
    /** Runs when nothing fresh waits. If something fresh always waits, it gets a small share of the model's time. */
    BACKGROUND
}
