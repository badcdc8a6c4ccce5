/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits until a condition holds. */
final class Awaiting {
    private static final long POLL_MILLIS = 20;

    private Awaiting() {}

    /** Waits until {@code condition} holds; returns false if time runs out. */
    static boolean that(Duration patience, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }
}
