/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs in an instance's process. Says where to halt the instance or to tell it that a call has timed out, and whether
 * it learns of new vocabularies.
 *
 * <p><i>Threading notes.</i> Set by the thread that follows commands, read by Kafka Streams' threads.
 */
final class Breakpoints {
    /** On which of the next passes each point halts, 1 being the next; 0 or less means never. */
    private final Map<HaltPoint, AtomicInteger> countdowns = new EnumMap<>(HaltPoint.class);

    private final AtomicBoolean commitTimesOut = new AtomicBoolean();
    private final AtomicBoolean offsetsTimeOut = new AtomicBoolean();
    private final AtomicBoolean sendTimesOut = new AtomicBoolean();
    private final AtomicBoolean threadDies = new AtomicBoolean();
    private volatile boolean vocabularyLags;

    Breakpoints() {
        for (HaltPoint point : HaltPoint.values()) {
            countdowns.put(point, new AtomicInteger());
        }
    }

    /** Halts the process the {@code time}-th time that it reaches {@code point}, counting from 1. */
    void halt(HaltPoint point, int time) {
        countdowns.get(point).set(time);
    }

    /** Called when a thread reaches a point; halts the process if the point is due. */
    void reach(HaltPoint point) {
        if (isDue(point)) {
            halt();
        }
    }

    /** Whether {@code point} halts this time; the caller then halts the process. */
    boolean isDue(HaltPoint point) {
        AtomicInteger countdown = countdowns.get(point);
        return countdown.get() > 0 && countdown.decrementAndGet() == 0;
    }

    static void halt() {
        Runtime.getRuntime().halt(HaltPoint.EXIT_CODE);
    }

    void commitTimesOut() {
        commitTimesOut.set(true);
    }

    boolean takeCommitTimeout() {
        return commitTimesOut.compareAndSet(true, false);
    }

    void offsetsTimeOut() {
        offsetsTimeOut.set(true);
    }

    boolean takeOffsetsTimeout() {
        return offsetsTimeOut.compareAndSet(true, false);
    }

    void sendTimesOut() {
        sendTimesOut.set(true);
    }

    boolean takeSendTimeout() {
        return sendTimesOut.compareAndSet(true, false);
    }

    void threadDies() {
        threadDies.set(true);
    }

    boolean takeThreadDeath() {
        return threadDies.compareAndSet(true, false);
    }

    void vocabularyLags(boolean lags) {
        vocabularyLags = lags;
    }

    boolean vocabularyLags() {
        return vocabularyLags;
    }
}
