/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Faults that last for a while, alongside other faults.
 *
 * <p><i>Threading notes.</i> Used by all lanes of faults; a separate thread ends spells when they are due.
 */
final class Spells implements AutoCloseable {
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final List<ScheduledFuture<Void>> ends = new CopyOnWriteArrayList<>();

    /** Ends a spell; idempotent. */
    interface End {
        void end() throws Exception;
    }

    /** Ends a spell after this duration. */
    void endAfter(Duration duration, End end) {
        ends.add(executor.schedule(
                () -> {
                    end.end();
                    return null;
                },
                duration.toMillis(),
                TimeUnit.MILLISECONDS));
    }

    /** Waits until all spells have ended. */
    void awaitEnd() throws InterruptedException, ExecutionException {
        for (ScheduledFuture<Void> end : ends) {
            end.get();
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
