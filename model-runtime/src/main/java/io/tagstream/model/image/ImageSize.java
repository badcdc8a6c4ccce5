/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** An upright image's width and height in pixels. */
public record ImageSize(int width, int height) {}
