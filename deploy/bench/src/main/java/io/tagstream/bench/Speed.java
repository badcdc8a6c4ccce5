/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.util.Collection;

/**
 * How fast something was.
 *
 * @param images images done
 * @param nanos time they took
 * @param cpuNanos processor time that the process took meanwhile
 */
record Speed(long images, long nanos, long cpuNanos) {
    /** Of nothing measured. */
    static final Speed NONE = new Speed(0, 0, 0);

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;

    double imagesPerSecond() {
        return images * NANOS_PER_SECOND / nanos;
    }

    double cpuMillisPerImage() {
        return cpuNanos / NANOS_PER_MILLI / images;
    }

    /** All of them together. */
    static Speed sum(Collection<Speed> speeds) {
        return new Speed(
                speeds.stream().mapToLong(Speed::images).sum(),
                speeds.stream().mapToLong(Speed::nanos).sum(),
                speeds.stream().mapToLong(Speed::cpuNanos).sum());
    }
}
