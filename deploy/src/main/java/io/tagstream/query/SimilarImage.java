/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.query;

/**
 * An image that is like a text.
 *
 * @param similarity the higher the more alike; comparable within one answer only
 */
public record SimilarImage(String imageId, String uri, double similarity) {}
