/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The time, and tasks for later. Tests use a clock that they control.
 *
 * <p><i>Threading notes.</i> May be used from any thread. All tasks run on one thread and must not block.
 */
interface Alarms extends AutoCloseable {
    /** Like {@link System#nanoTime}. */
    long nanoTime();

    /**
     * Runs a task after a delay.
     *
     * @return cancels the task
     */
    Runnable schedule(Runnable task, long delayNanos);

    /** Cancels the tasks that have not run yet, without waiting. */
    @Override
    void close();

    /** The system's clock and a daemon thread. */
    static Alarms ofSystem() {
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "tagstream-alarms");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        // tasks scheduled after closing are for images that closing has cancelled
        executor.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        return new Alarms() {
            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public Runnable schedule(Runnable task, long delayNanos) {
                ScheduledFuture<?> scheduled = executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
                return () -> scheduled.cancel(false);
            }

            @Override
            public void close() {
                executor.shutdownNow();
            }
        };
    }
}
