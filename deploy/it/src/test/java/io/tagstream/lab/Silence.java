/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.time.Instant;

/** A time in which images of a partition waited and none of them came out. */
record Silence(int partition, Instant begin, Instant end) {
    Duration length() {
        return Duration.between(begin, end);
    }
}
