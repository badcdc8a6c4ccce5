/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import java.util.regex.Pattern;

/**
 * Text in a file that people may open in a spreadsheet, which would run what looks like a formula. Such text is written
 * with an apostrophe before it, and read without.
 */
final class SpreadsheetText {
    /** The beginning of a formula, also with wide characters, and of text that was written with an apostrophe. */
    private static final Pattern FORMULA = Pattern.compile("(?s)'*[=+\\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20].*");

    private SpreadsheetText() {}

    static String write(String text) {
        return FORMULA.matcher(text).matches() ? "'" + text : text;
    }

    static String read(String written) {
        return written.startsWith("'") && FORMULA.matcher(written).matches() ? written.substring(1) : written;
    }
}
