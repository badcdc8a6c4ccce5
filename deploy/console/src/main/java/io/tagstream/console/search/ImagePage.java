/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.util.List;
import java.util.Optional;

/**
 * One page of images.
 *
 * @param total how many there are on all pages
 * @param next where the next page begins; empty on the last
 */
public record ImagePage(List<ImageDocument> images, long total, Optional<String> next) {
    public ImagePage {
        images = List.copyOf(images);
    }
}
