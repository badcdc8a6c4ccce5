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
 * In an instance's process: where it is to be halted or told that a call has timed out, and whether it hears of new
 * vocabularies.
 *
 * <p><i>Threading notes.</i> Set by the thread that follows commands, met by Kafka Streams' threads.
 */
final class Breakpoints {
    /** How many more times each point is passed until it halts; 0 and less: never. */
    private final Map<HaltPoint, AtomicInteger> countdowns = new EnumMap<>(HaltPoint.class);

    private final AtomicBoolean commitTimesOut = new AtomicBoolean();
    private final AtomicBoolean offsetsTimeOut = new AtomicBoolean();
    private volatile boolean vocabularyLags;

    Breakpoints() {
        for (HaltPoint point : HaltPoint.values()) {
            countdowns.put(point, new AtomicInteger());
        }
    }

    /** Halts when {@code point} is reached for the given time, the first being 1. */
    void halt(HaltPoint point, int time) {
        countdowns.get(point).set(time);
    }

    /** A thread has come to a point. */
    void reach(HaltPoint point) {
        if (isDue(point)) {
            halt();
        }
    }

    /** Whether it is this time that {@code point} halts; the caller does it. */
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

    void vocabularyLags(boolean lags) {
        vocabularyLags = lags;
    }

    boolean vocabularyLags() {
        return vocabularyLags;
    }
}
