/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * What an image's scores are computed from: enough to score it against other labels without reading it again. Later
 * scores agree with those of a fresh reading within 1e-3, on the same execution provider, because fresh scores are
 * computed from the same features, rounded to half precision.
 *
 * @param bytes {@link ModelDescription#featureBytes} bytes, in the model's own layout; do not change them
 */
@SuppressWarnings("ArrayRecordComponent") // tens of kilobytes, passed on and never compared
public record ImageFeatures(byte[] bytes) {}
