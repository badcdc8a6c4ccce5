/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

/**
 * An index that the feed writes to: one that the alias pointed to before, points to now or will point to.
 *
 * @param name the index's own name: the alias's and a number
 * @param uuid the server's id; an index made later with the same name gets a different one
 */
public record TagIndex(String name, String uuid, IndexOrigin origin) {}
