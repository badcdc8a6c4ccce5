/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

/** Makes text from elsewhere safe to print on a terminal, on one line. */
public final class Printable {
    private Printable() {}

    /**
     * Returns the text with every control character replaced by a question mark: ids and messages may contain any of
     * them, and terminals obey some.
     */
    public static String of(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
