/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.Optional;

/**
 * An image to read and score.
 *
 * @param uri where its bytes are, as submitted; whatever cannot be read fails with an {@link ImageException}
 * @param sha256 the expected SHA-256 of its bytes, hexadecimal
 * @param lane whose image it is, compared by {@code equals}. Lanes take turns, so that none waits for everything that
 *     another has submitted
 * @param name what logs call it
 * @param priority who goes first
 * @param known features to use if they were made from the same bytes
 */
public record ImageRequest(
        String uri, Optional<String> sha256, Object lane, String name, Priority priority, Optional<KnownImage> known) {
    /** A fresh image about which nothing is known. */
    public ImageRequest(String uri, Optional<String> sha256, Object lane, String name) {
        this(uri, sha256, lane, name, Priority.FRESH, Optional.empty());
    }

    /** A fresh image without a name, for callers with one lane. */
    public ImageRequest(String uri, Optional<String> sha256) {
        this(uri, sha256, "", "an image");
    }

    /** The same, with features that may save decoding and encoding it. */
    public ImageRequest knownAs(KnownImage image) {
        return new ImageRequest(uri, sha256, lane, name, priority, Optional.of(image));
    }

    /** The same, to do when nothing fresh waits. */
    public ImageRequest inBackground() {
        return new ImageRequest(uri, sha256, lane, name, Priority.BACKGROUND, known);
    }
}
