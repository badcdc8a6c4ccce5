/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stream threads that are ending because of an exception. Their partitions wait until another thread takes them over.
 *
 * <p><i>Threading notes.</i> May be used by any thread.
 */
public final class FailedThreads {
    private final Map<Thread, Throwable> failed = new ConcurrentHashMap<>();

    /** Notes that the current thread is about to end. */
    public void add(Throwable thrown) {
        forgetTheDead();
        failed.put(Thread.currentThread(), thrown);
    }

    /** Whether the current thread is ending because of an exception. */
    boolean isCurrent() {
        return failed.containsKey(Thread.currentThread());
    }

    /** Why partitions are waiting; empty when no thread is ending. */
    public Optional<String> reason() {
        return failure().map(thrown -> "a stream thread has failed and is being replaced: " + thrown);
    }

    /** The exception that a thread is ending because of; empty when none is. */
    public Optional<Throwable> failure() {
        forgetTheDead();
        return failed.values().stream().findFirst();
    }

    private void forgetTheDead() {
        failed.keySet().removeIf(thread -> !thread.isAlive());
    }
}
