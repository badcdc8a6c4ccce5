/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/**
 * What the model's scores of an image are computed from: enough to score it against other labels without reading it
 * again. Scores computed from them later are those that a fresh reading gives, as far as the execution provider computes
 * alike, within 1e-3: fresh scores are computed from the same, rounded to half precision.
 *
 * @param bytes {@link ModelDescription#featureBytes} bytes whose layout is the model's own; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // tens of kilobytes, handed over and never compared
public record ImageFeatures(byte[] bytes) {}
