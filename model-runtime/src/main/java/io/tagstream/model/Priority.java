/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** Who goes first where images wait for the model. */
public enum Priority {
    /** Someone waits for it. */
    FRESH,
    /** It is done when nothing fresh waits; with a small share of the model's time where something always does. */
    BACKGROUND
}
