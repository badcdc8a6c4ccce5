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
 * Passes events to all listeners. The latest events are kept, so that a listener that reconnects after a moment misses
 * none.
 *
 * <p><i>Threading notes.</i> Any number of threads may publish and listen. Publishing never blocks: a listener that is
 * too slow is dropped, and may reconnect.
 */
public final class EventHub implements AutoCloseable {
    private static final int KEPT = 500;
    private static final int LONGEST_QUEUE = 1_000;

    private final Deque<LiveEvent> latest = new ArrayDeque<>();
    private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    private long number;
    private volatile boolean closed;

    /** Receives events until it is closed or dropped. */
    public final class Listener implements AutoCloseable {
        private final BlockingQueue<LiveEvent> queue = new LinkedBlockingQueue<>(LONGEST_QUEUE);
        private volatile boolean dropped;

        /** Waits for events; returns an empty list if none come in this time. */
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
     * Starts to listen.
     *
     * @param after the number of the last event that the listener received; the kept events after it are delivered
     *     first. A number higher than any so far comes from another process; then no kept events are delivered.
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

    /** How many listeners there are. */
    public int listeners() {
        return listeners.size();
    }

    /** Publishes an event to all listeners. */
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

    /** Tells listeners that no more events will come; they notice at their next poll. */
    @Override
    public void close() {
        closed = true;
    }
}
