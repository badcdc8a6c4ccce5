/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.util.List;

/** Writes lists as people do. */
final class Series {
    private Series() {}

    /** {@code "a, b or c"} of a, b, c and the conjunction {@code or}. */
    static String of(List<String> items, String conjunction) {
        int last = items.size() - 1;
        return last < 1
                ? String.join("", items)
                : "%s %s %s".formatted(String.join(", ", items.subList(0, last)), conjunction, items.get(last));
    }
}
