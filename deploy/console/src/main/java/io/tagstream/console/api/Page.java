/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.function.Function;

/**
 * One page of a list.
 *
 * @param total how many there are on all pages
 * @param next what to give as {@code after} for the next page; null on the last
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Page<T>(List<T> items, long total, String next) {
    /** A page of a list that begins after the item with the key {@code after}; without one, at the first item. */
    static <T> Page<T> of(List<T> all, Function<T, String> key, String after, int limit) {
        int start = 0;
        if (after != null) {
            while (start < all.size() && !key.apply(all.get(start)).equals(after)) {
                start++;
            }
            start = Math.min(all.size(), start + 1);
        }
        int end = Math.min(all.size(), start + limit);
        List<T> items = all.subList(start, end);
        return new Page<>(items, all.size(), end < all.size() ? key.apply(all.get(end - 1)) : null);
    }
}
