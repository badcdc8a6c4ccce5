/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

/**
 * How far known images have followed the vocabulary.
 *
 * @param targetEpoch the vocabulary epoch that they follow
 * @param done images that are up to date with it
 * @param total known images
 * @param active whether any image still has to follow
 */
public record SweepProgress(long targetEpoch, long done, long total, boolean active) {}
