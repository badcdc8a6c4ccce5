/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.util.Collection;

/**
 * The speed of a measurement.
 *
 * @param images number of images processed
 * @param nanos time that they took
 * @param cpuNanos processor time that the process used in that time
 */
record Speed(long images, long nanos, long cpuNanos) {
    /** An empty measurement. */
    static final Speed NONE = new Speed(0, 0, 0);

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;

    double imagesPerSecond() {
        return images * NANOS_PER_SECOND / nanos;
    }

    double cpuMillisPerImage() {
        return cpuNanos / NANOS_PER_MILLI / images;
    }

    /** The total of several measurements. */
    static Speed sum(Collection<Speed> speeds) {
        return new Speed(
                speeds.stream().mapToLong(Speed::images).sum(),
                speeds.stream().mapToLong(Speed::nanos).sum(),
                speeds.stream().mapToLong(Speed::cpuNanos).sum());
    }
}
