/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** Text from strangers, made fit for a message: short, and without control characters. */
final class Excerpt {
    private static final int LENGTH = 200;

    private Excerpt() {}

    static String of(String text) {
        return of(text, LENGTH);
    }

    static String of(String text, int length) {
        StringBuilder excerpt = new StringBuilder();
        text.codePoints()
                .limit(length)
                .map(character -> Character.isISOControl(character) || Character.getType(character) == Character.FORMAT
                        ? '\uFFFD'
                        : character)
                .forEach(excerpt::appendCodePoint);
        return text.codePointCount(0, text.length()) > length
                ? excerpt.append('…').toString()
                : excerpt.toString();
    }
}
