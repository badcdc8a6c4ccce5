/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

/**
 * An image that is like a text.
 *
 * @param similarity higher for a closer match; comparable within one answer only
 */
public record SimilarImage(String imageId, String uri, double similarity) {}
