/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Collects items of all callers into batches, first come, first served. A batch is ready when it is full or when its
 * oldest item has waited long enough, whichever comes first.
 *
 * <p><i>Threading notes.</i> Any thread adds, one takes. How many items wait is bounded by who adds them.
 */
final class Batcher<T> {
    private record Waiting<T>(T item, long since) {}

    private final int size;
    private final long waitNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Waiting<T>> waiting = new ArrayDeque<>();
    private boolean closed;

    /**
     * @param size a full batch
     * @param wait how long an item waits at most for its batch to fill
     */
    Batcher(int size, Duration wait) {
        this.size = size;
        this.waitNanos = wait.toNanos();
    }

    /** Adds an item; false if closed. */
    boolean add(T item) {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            waiting.add(new Waiting<>(item, System.nanoTime()));
            // the taker sleeps for the first item or until the batch is full: in between nothing changes for it
            if (waiting.size() == 1 || waiting.size() >= size) {
                changed.signal();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a batch; empty once closed. */
    List<T> take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!closed && waiting.size() < size) {
                if (waiting.isEmpty()) {
                    changed.await();
                    continue;
                }
                long left = waitNanos - (System.nanoTime() - waiting.peek().since());
                if (left <= 0 || changed.awaitNanos(left) <= 0) {
                    break;
                }
            }
            List<T> batch = new ArrayList<>(size);
            while (!closed && batch.size() < size && !waiting.isEmpty()) {
                batch.add(waiting.poll().item());
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    /** Ends waiting; items not taken are dropped. */
    void close() {
        lock.lock();
        try {
            closed = true;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }
}
