/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** Makes text from outside safe for messages: short, and without control characters. */
public final class Excerpt {
    private static final int LENGTH = 200;

    private Excerpt() {}

    /** At most 200 characters. */
    public static String of(String text) {
        return of(text, LENGTH);
    }

    /** At most {@code length} characters. */
    public static String of(String text, int length) {
        StringBuilder excerpt = new StringBuilder();
        text.codePoints()
                .limit(length)
                .map(character -> isHarmless(character) ? character : '\uFFFD')
                .forEach(excerpt::appendCodePoint);
        return text.codePointCount(0, text.length()) > length
                ? excerpt.append('…').toString()
                : excerpt.toString();
    }

    /** Whether a character neither ends a line nor hides or reorders the text beside it. */
    private static boolean isHarmless(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
