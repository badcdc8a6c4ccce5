/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How this process asks the schema registry for the schemas of images records: on a thread of its own, so that nothing
 * else waits for the answer. It remembers for a while that the registry did not answer, so that stream threads do not
 * ask in vain for every record.
 *
 * <p><i>Threading notes.</i> Thread-safe. The thread ends by itself when nobody asks.
 */
final class RegistryAccess implements AutoCloseable {
    private static final Duration MEMORY = Duration.ofSeconds(30);
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final LongSupplier nanoTime;
    private final ThreadPoolExecutor thread =
            new ThreadPoolExecutor(0, 1, IDLE.toSeconds(), TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                Thread reader = new Thread(task, "tagstream-registry");
                reader.setDaemon(true);
                return reader;
            });

    private volatile Executor executor = thread;
    private volatile boolean away;
    private volatile long awayUntil;

    RegistryAccess(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Replaces the thread: a simulation has only one. */
    void askOn(Executor other) {
        executor = other;
    }

    /** Runs something that may ask the registry. */
    void ask(Runnable question) {
        executor.execute(question);
    }

    /** Notes that the registry has not answered. */
    void unanswered() {
        awayUntil = nanoTime.getAsLong() + MEMORY.toNanos();
        away = true;
    }

    /** Notes that the registry has answered. */
    void answered() {
        away = false;
    }

    /** Whether it is of no use to ask. */
    boolean isAway() {
        return away && nanoTime.getAsLong() - awayUntil < 0;
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
