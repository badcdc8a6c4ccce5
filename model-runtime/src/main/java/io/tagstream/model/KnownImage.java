/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * Features of an image that was scored before. If its bytes are still the same, it need not be decoded and encoded
 * again.
 *
 * @param sha256 SHA-256 of the bytes that the features were made from, 64 lower-case hexadecimal digits
 * @param width width in pixels, upright
 * @param height height in pixels, upright
 * @param features made by this model, in the same version
 */
public record KnownImage(String sha256, int width, int height, ImageFeatures features) {}
