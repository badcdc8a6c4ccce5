/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.Priority;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;

/**
 * What waits for the model, and what is next: images of all callers, collected into batches, and jobs, each of which
 * gets its own turn. Both are served first come, first served.
 *
 * <ol>
 *   <li>A fresh job goes first.
 *   <li>A batch of fresh images is next once it is full, no other image is on its way here, or its oldest image has
 *       waited long enough.
 *   <li>A background job or a small batch of background images, alternately, is next if there is nothing fresh, or
 *       after {@value #FRESH_TURNS} fresh turns in a row.
 * </ol>
 *
 * <p><i>Threading notes.</i> Any thread may add, and the devices' threads take: whichever is free. Callers limit how
 * much waits.
 *
 * @param <T> an image
 * @param <J> a job
 */
final class ModelQueue<T, J> {
    private static final int FRESH_TURNS = 10;
    private static final int BACKGROUND_SHARE = 4;

    private record Waiting<T>(T item, long since) {}

    /** What the model does next: a job or, if there is none, a batch. Both are empty once the queue is closed. */
    record Turn<T, J>(List<T> batch, List<J> job) {
        boolean isEmpty() {
            return batch.isEmpty() && job.isEmpty();
        }
    }

    private final int size;
    private final int backgroundSize;
    private final long waitNanos;
    private final IntSupplier inFlight;
    /** How many images the devices have. Guarded by the lock. */
    private int taken;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<Priority, Deque<Waiting<T>>> images = new EnumMap<>(Priority.class);
    private final Map<Priority, Deque<J>> jobs = new EnumMap<>(Priority.class);
    private int freshTurns;
    private boolean imagesAreNext;
    private boolean closed;

    /**
     * @param size of a full batch; a batch of background images has at most a quarter of it
     * @param wait the longest that a fresh image waits for its batch to fill
     * @param inFlight how many images wait here, are on their way here, or were taken and are not {@link #done}
     */
    ModelQueue(int size, Duration wait, IntSupplier inFlight) {
        this.size = size;
        this.backgroundSize = Math.max(1, size / BACKGROUND_SHARE);
        this.waitNanos = wait.toNanos();
        this.inFlight = inFlight;
        for (Priority priority : Priority.values()) {
            images.put(priority, new ArrayDeque<>());
            jobs.put(priority, new ArrayDeque<>());
        }
    }

    /** Adds an image; false if the queue is closed. */
    boolean add(T image, Priority priority) {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            images.get(priority).add(new Waiting<>(image, System.nanoTime()));
            changed.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Adds a job; false if the queue is closed. */
    boolean addJob(J job, Priority priority) {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            jobs.get(priority).addLast(job);
            changed.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Returns an incomplete job to the front of the queue. */
    void putBack(J job, Priority priority) {
        lock.lock();
        try {
            if (!closed) {
                jobs.get(priority).addFirst(job);
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Removes a job that is no longer needed, if it waits here. */
    void removeJob(J job, Priority priority) {
        lock.lock();
        try {
            jobs.get(priority).remove(job);
        } finally {
            lock.unlock();
        }
    }

    /** A device has finished with so many images. */
    void done(int count) {
        lock.lock();
        try {
            taken -= count;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the next turn, which is empty once the queue is closed. */
    Turn<T, J> take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!closed) {
                long now = System.nanoTime();
                if (backgroundWaits() && (freshTurns >= FRESH_TURNS || !freshIsReady(now))) {
                    freshTurns = 0;
                    return taken(backgroundTurn());
                }
                if (freshIsReady(now)) {
                    freshTurns = backgroundWaits() ? freshTurns + 1 : 0;
                    J job = jobs.get(Priority.FRESH).poll();
                    return taken(
                            job == null
                                    ? new Turn<>(batch(Priority.FRESH, size), List.of())
                                    : new Turn<>(List.of(), List.of(job)));
                }
                if (images.get(Priority.FRESH).isEmpty()) {
                    changed.await();
                } else {
                    changed.awaitNanos(waitNanos - waited(now));
                }
            }
            return new Turn<>(List.of(), List.of());
        } finally {
            lock.unlock();
        }
    }

    private Turn<T, J> taken(Turn<T, J> turn) {
        taken += turn.batch().size();
        boolean waits = images.values().stream().anyMatch(queue -> !queue.isEmpty())
                || jobs.values().stream().anyMatch(queue -> !queue.isEmpty());
        if (waits) {
            changed.signal(); // for another device: this one may have been woken for all of them
        }
        return turn;
    }

    private boolean freshIsReady(long now) {
        int waiting = images.get(Priority.FRESH).size();
        return !jobs.get(Priority.FRESH).isEmpty()
                || waiting >= size
                || (waiting > 0 && (waited(now) >= waitNanos || nothingElseComes()));
    }

    private boolean nothingElseComes() {
        return inFlight.getAsInt() - taken
                <= images.values().stream().mapToInt(Deque::size).sum();
    }

    /** How long the oldest fresh image has waited. */
    private long waited(long now) {
        return now - images.get(Priority.FRESH).element().since();
    }

    private boolean backgroundWaits() {
        return !images.get(Priority.BACKGROUND).isEmpty()
                || !jobs.get(Priority.BACKGROUND).isEmpty();
    }

    private Turn<T, J> backgroundTurn() {
        boolean none = jobs.get(Priority.BACKGROUND).isEmpty();
        boolean takesImages =
                none || (imagesAreNext && !images.get(Priority.BACKGROUND).isEmpty());
        imagesAreNext = !takesImages;
        return takesImages
                ? new Turn<>(batch(Priority.BACKGROUND, backgroundSize), List.of())
                : new Turn<>(List.of(), List.of(jobs.get(Priority.BACKGROUND).remove()));
    }

    private List<T> batch(Priority priority, int most) {
        Deque<Waiting<T>> waiting = images.get(priority);
        List<T> batch = new ArrayList<>(most);
        while (batch.size() < most && !waiting.isEmpty()) {
            batch.add(waiting.remove().item());
        }
        return batch;
    }

    /** Ends the wait for turns, and drops what was not taken. */
    void close() {
        lock.lock();
        try {
            closed = true;
            images.values().forEach(Deque::clear);
            jobs.values().forEach(Deque::clear);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether a whole batch of fresh images waits. */
    boolean holdsBatch() {
        lock.lock();
        try {
            return images.get(Priority.FRESH).size() >= size;
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
