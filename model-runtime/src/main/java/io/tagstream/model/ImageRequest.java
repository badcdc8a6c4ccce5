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
 */
public record ImageRequest(String uri, Optional<String> sha256, Object lane, String name) {
    /** An image of a caller that has one lane and no name for it. */
    public ImageRequest(String uri, Optional<String> sha256) {
        this(uri, sha256, "", "an image");
    }
}
