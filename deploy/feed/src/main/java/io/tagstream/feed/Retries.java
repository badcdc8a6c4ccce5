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
 * Writes that wait to be tried again. The wait doubles with every attempt in vain up to {@link #LONGEST}, and up to half
 * of it is left to chance, so that several feeds do not come back at once. Used by one thread.
 */
final class Retries {
    private static final Duration FIRST = Duration.ofMillis(100);
    static final Duration LONGEST = Duration.ofSeconds(10);
    private static final int DOUBLINGS = 10;

    private final PriorityQueue<Waiting> waiting = new PriorityQueue<>(Comparator.comparingLong(Waiting::due));

    private record Waiting(Write write, long due) {}

    /** Has a write wait, after it was tried once more in vain. */
    void add(Write write) {
        long longest = FIRST.toNanos() << Math.min(DOUBLINGS, write.triedInVain() - 1);
        long wait = Math.min(longest, LONGEST.toNanos());
        long chance = ThreadLocalRandom.current().nextLong(wait / 2 + 1);
        waiting.add(new Waiting(write, System.nanoTime() + wait - chance));
    }

    /** A write that has waited long enough, and no longer waits; null for none. */
    Write next() {
        Waiting first = waiting.peek();
        if (first == null || first.due() - System.nanoTime() > 0) {
            return null;
        }
        return waiting.remove().write();
    }
}
