/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.time.Duration;

/**
 * How slow a client may be.
 *
 * @param grace the time that every client gets
 * @param leastRate the bytes per second that it must manage beyond that
 */
public record Pace(Duration grace, long leastRate) {
    private static final long NANOS = Duration.ofSeconds(1).toNanos();

    /** Returns how long this many bytes may take. */
    Duration allowed(long bytes) {
        return grace.plusSeconds(bytes / leastRate).plusNanos(bytes % leastRate * NANOS / leastRate);
    }
}
