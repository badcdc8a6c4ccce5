/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.Optional;

/**
 * An image to be read and scored.
 *
 * @param uri where its bytes are, as submitted; anything that cannot be read fails as an {@link ImageException}
 * @param sha256 the expected SHA-256 of its bytes, hexadecimal
 * @param lane whose image it is: lanes take turns, so that none waits for all that another has submitted; compared by
 *     {@code equals}
 * @param name what logs call it
 * @param priority when its turn comes
 * @param known features to be used if its bytes are still those that they were made of
 */
public record ImageRequest(
        String uri, Optional<String> sha256, Object lane, String name, Priority priority, Optional<KnownImage> known) {
    /** A fresh image that nothing is known of. */
    public ImageRequest(String uri, Optional<String> sha256, Object lane, String name) {
        this(uri, sha256, lane, name, Priority.FRESH, Optional.empty());
    }

    /** A fresh image of a caller that has one lane and no name for it. */
    public ImageRequest(String uri, Optional<String> sha256) {
        this(uri, sha256, "", "an image");
    }

    /** The same, with features that may save decoding and encoding it. */
    public ImageRequest knownAs(KnownImage image) {
        return new ImageRequest(uri, sha256, lane, name, priority, Optional.of(image));
    }

    /** The same, to be done when nothing fresh waits. */
    public ImageRequest inBackground() {
        return new ImageRequest(uri, sha256, lane, name, Priority.BACKGROUND, known);
    }
}
