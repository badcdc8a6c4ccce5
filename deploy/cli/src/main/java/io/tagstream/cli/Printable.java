/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Makes text from elsewhere safe to print on a terminal, on one line. */
public final class Printable {
    /**
     * Characters that terminals obey, that end a line, or that hide or reorder the text around them: all control and
     * format characters but those that join letters and emoji, separators of lines, and halves of characters.
     */
    private static final Pattern DISTURBING =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}&&[^\\u200C\\u200D]]");

    private static final int ASCII_END = 0x7F;

    private Printable() {}

    /**
     * Returns the text in one line, with every character that disturbs a terminal replaced by a question mark: ids and
     * messages may contain any of them.
     */
    public static String of(String text) {
        return DISTURBING.matcher(text).replaceAll("?");
    }

    /** Returns a text of several lines, each as {@link #of} returns it. */
    public static String lines(String text) {
        return Arrays.stream(text.split("\\r?\\n", -1)).map(Printable::of).collect(Collectors.joining("\n"));
    }

    /**
     * Returns the text with every such character above ASCII written as <code>&#92;uXXXX</code>, which in JSON means the
     * same. ASCII's own are left: JSON has none, and colours need them.
     */
    static String escaped(String text) {
        return DISTURBING
                .matcher(text)
                .replaceAll(found -> found.group().codePointAt(0) < ASCII_END
                        ? Matcher.quoteReplacement(found.group())
                        : found.group().chars().mapToObj("\\\\u%04x"::formatted).collect(Collectors.joining()));
    }
}
