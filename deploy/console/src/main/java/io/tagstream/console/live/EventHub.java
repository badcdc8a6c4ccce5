/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Hands events to whoever listens. The latest are kept, so that a listener that was away for a moment misses none.
 *
 * <p><i>Threading notes.</i> Any threads may publish and listen. Publishing never waits: a listener that takes too long
 * is dropped, and may come back.
 */
public final class EventHub implements AutoCloseable {
    private static final int KEPT = 500;
    private static final int LONGEST_QUEUE = 1_000;

    private final Deque<LiveEvent> latest = new ArrayDeque<>();
    private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    private long number;
    private volatile boolean closed;

    /** Someone who takes events one by one; to be closed. */
    public final class Listener implements AutoCloseable {
        private final BlockingQueue<LiveEvent> queue = new LinkedBlockingQueue<>(LONGEST_QUEUE);
        private volatile boolean dropped;

        /** Waits for events; empty if there are none within some time. */
        public List<LiveEvent> poll(long millis) throws InterruptedException {
            LiveEvent first = queue.poll(millis, TimeUnit.MILLISECONDS);
            if (first == null) {
                return List.of();
            }
            Collection<LiveEvent> events = new ArrayDeque<>(List.of(first));
            queue.drainTo(events);
            return List.copyOf(events);
        }

        /** Whether more events will come. */
        public boolean isOpen() {
            return !dropped && !closed;
        }

        @Override
        public void close() {
            listeners.remove(this);
        }
    }

    /**
     * Listens from now on.
     *
     * @param after the number of the last event that the listener has had; those after it that are kept come first. A
     *     number that there has not been yet is one of another process, and nothing is kept of that.
     */
    public synchronized Listener listen(long after) {
        Listener listener = new Listener();
        if (after <= number) {
            latest.stream().filter(event -> event.number() > after).forEach(listener.queue::offer);
        }
        listeners.add(listener);
        return listener;
    }

    /** The number of the latest event. */
    public synchronized long latest() {
        return number;
    }

    /** How many listen. */
    public int listeners() {
        return listeners.size();
    }

    /** Tells everyone. */
    public synchronized void publish(LiveEvent.Kind kind, String json) {
        LiveEvent event = new LiveEvent(++number, kind, json);
        latest.add(event);
        if (latest.size() > KEPT) {
            latest.remove();
        }
        listeners.removeIf(listener -> {
            listener.dropped = !listener.queue.offer(event);
            return listener.dropped;
        });
    }

    /** Tells listeners that nothing more will come; they notice when they poll next. */
    @Override
    public void close() {
        closed = true;
    }
}
