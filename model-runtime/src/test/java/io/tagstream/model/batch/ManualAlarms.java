/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A clock that stands still until a test moves it. Tasks that become due then run on the test's thread, in order. */
final class ManualAlarms implements Alarms {
    private record Alarm(int number, Runnable task, long at) {}

    private final List<Alarm> alarms = new ArrayList<>();
    private long now = 1_000_000;
    private int scheduled;

    @Override
    public synchronized long nanoTime() {
        return now;
    }

    @Override
    public synchronized Runnable schedule(Runnable task, long delayNanos) {
        Alarm alarm = new Alarm(scheduled, task, now + delayNanos);
        alarms.add(alarm);
        scheduled++;
        return () -> takeBack(alarm);
    }

    private synchronized void takeBack(Alarm alarm) {
        alarms.remove(alarm);
    }

    /** How many alarms are still to come. */
    synchronized int size() {
        return alarms.size();
    }

    /** How many alarms have been scheduled so far. */
    synchronized int scheduled() {
        return scheduled;
    }

    void advance(Duration time) {
        long until = nanoTime() + time.toNanos();
        Alarm due = next(until);
        while (due != null) {
            due.task().run();
            due = next(until);
        }
        synchronized (this) {
            now = until;
        }
    }

    private synchronized Alarm next(long until) {
        Alarm next = alarms.stream()
                .filter(alarm -> alarm.at() <= until)
                .min(Comparator.comparing(Alarm::at))
                .orElse(null);
        if (next != null) {
            alarms.remove(next);
            now = Math.max(now, next.at());
        }
        return next;
    }

    @Override
    public synchronized void close() {
        alarms.clear();
    }
}
