/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * How long a stream thread may still wait for the model before it must let Kafka Streams commit: all the thread's tasks
 * together, or their waits would add up to more than the transaction timeout.
 *
 * <p>The budget is full again at every round of punctuations: Kafka Streams runs them, and after them commits when the
 * commit interval has passed, once between two rounds of processing.
 *
 * <p><i>Threading notes.</i> {@link #signal} may be called from any thread; all else by the owning stream thread.
 */
final class WaitBudget {
    private final long fullNanos;
    private final Semaphore completions = new Semaphore(0);
    private long remainingNanos;

    WaitBudget(Duration full) {
        this.fullNanos = full.toNanos();
        this.remainingNanos = fullNanos;
    }

    void refill() {
        remainingNanos = fullNanos;
    }

    boolean spent() {
        return remainingNanos <= 0;
    }

    /** An image of one of the thread's tasks has completed. */
    void signal() {
        completions.release();
    }

    /** Waits for a completion or until the budget is spent. */
    void awaitCompletion() {
        long began = System.nanoTime();
        try {
            if (completions.tryAcquire(remainingNanos, TimeUnit.NANOSECONDS)) {
                completions.drainPermits();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            remainingNanos = 0; // someone wants this thread to end: do not keep it
            return;
        }
        remainingNanos -= System.nanoTime() - began;
    }
}
