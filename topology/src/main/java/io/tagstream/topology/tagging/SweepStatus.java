/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

/**
 * How far a task's images have followed the vocabulary.
 *
 * @param partition the task's partition
 * @param active whether a sweep is in progress
 * @param epoch the vocabulary epoch that images follow or have followed
 * @param images the number of known images
 * @param swept how many of these the sweep has dealt with
 * @param stale how many it could not bring up to date since the task came to this instance
 * @param features the number of images whose features are kept
 */
public record SweepStatus(
        int partition, boolean active, long epoch, long images, long swept, long stale, long features) {
    /** Images that have yet to be dealt with. */
    public long left() {
        return active ? Math.max(0, images - swept) : 0;
    }
}
