/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/**
 * What keeps decoders from everything else.
 *
 * @param inForce whether something does
 * @param text what, or why nothing does
 */
public record Sandbox(boolean inForce, String text) {
    /** Something does. */
    public static Sandbox sealed(String how) {
        return new Sandbox(true, how);
    }

    /** Nothing does. */
    public static Sandbox none(String why) {
        return new Sandbox(false, why);
    }
}
