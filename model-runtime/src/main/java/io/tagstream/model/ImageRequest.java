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
 */
public record ImageRequest(String uri, Optional<String> sha256) {}
