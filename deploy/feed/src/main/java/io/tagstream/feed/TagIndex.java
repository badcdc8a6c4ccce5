/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

/**
 * An index that the feed writes to: one of those that have stood, stand or will stand behind the alias.
 *
 * @param name the index's own name: the alias's and a number
 * @param uuid the server's id, another one for an index of the same name that is made later
 */
public record TagIndex(String name, String uuid, IndexOrigin origin) {}
