/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

/** Text from elsewhere, made fit for a terminal and for a line of its own. */
public final class Printable {
    private Printable() {}

    /** The text with a question mark for every control character: ids and messages may hold any, and terminals obey some. */
    public static String of(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
