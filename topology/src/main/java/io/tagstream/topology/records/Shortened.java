/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

/** Shortens texts from elsewhere so that they fit into a message. */
public final class Shortened {
    private static final int LONGEST = 2_000;

    private Shortened() {}

    /** The text, or its first 2,000 characters and an ellipsis. */
    public static String of(String text) {
        return of(text, LONGEST);
    }

    /** The text, or its first {@code longest} characters and an ellipsis. */
    public static String of(String text, int longest) {
        return text.length() > longest ? text.substring(0, longest) + "..." : text;
    }
}
