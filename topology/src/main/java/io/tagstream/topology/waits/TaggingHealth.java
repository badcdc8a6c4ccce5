/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

/**
 * Whether images wait without any coming out.
 *
 * @param healthy whether none has waited for too long
 * @param text for a person; if images wait: which partitions, for how long, why, and what to do, a line for each reason
 */
public record TaggingHealth(boolean healthy, String text) {
    /** Nothing is wrong. */
    public static TaggingHealth well(String text) {
        return new TaggingHealth(true, text);
    }

    /** Images wait. */
    public static TaggingHealth waiting(String text) {
        return new TaggingHealth(false, text);
    }
}
