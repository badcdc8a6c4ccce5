/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.query;

/**
 * How far known images have come in following the vocabulary.
 *
 * @param targetEpoch the vocabulary epoch that they follow
 * @param done images that are up to date with it
 * @param total known images
 * @param active whether any still has to follow
 */
public record SweepProgress(long targetEpoch, long done, long total, boolean active) {}
