/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes that wait for a retry. The wait doubles with every failed attempt up to {@link #LONGEST}. A random part of it,
 * up to half, is left out, so that several feeds do not retry at the same time. Used by one thread.
 */
final class Retries {
    private static final Duration FIRST = Duration.ofMillis(100);
    static final Duration LONGEST = Duration.ofSeconds(10);
    private static final int DOUBLINGS = 10;

    private final PriorityQueue<Waiting> waiting = new PriorityQueue<>(Comparator.comparingLong(Waiting::due));

    private record Waiting(Write write, long due) {}

    /** Schedules another attempt after a failed one. */
    void add(Write write) {
        long longest = FIRST.toNanos() << Math.min(DOUBLINGS, write.countFailure() - 1);
        long wait = Math.min(longest, LONGEST.toNanos());
        long chance = ThreadLocalRandom.current().nextLong(wait / 2 + 1);
        waiting.add(new Waiting(write, System.nanoTime() + wait - chance));
    }

    /** Removes and returns a write that has waited long enough; null for none. */
    Write next() {
        Waiting first = waiting.peek();
        if (first == null || first.due() - System.nanoTime() > 0) {
            return null;
        }
        return waiting.remove().write();
    }
}
