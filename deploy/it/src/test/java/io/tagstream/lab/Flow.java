/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which images wait for their outcome, and how long partitions have been silent meanwhile. Partitions are those of the
 * tagging tasks.
 *
 * <p><i>Threading notes.</i> Thread-safe: one thread notes submissions, another one outcomes, and a third one asks.
 */
final class Flow {
    /** Anything shorter is not worth recording. */
    static final Duration SHORTEST = Duration.ofSeconds(1);

    /** The partitions of waiting images, by sequence number. */
    private final Map<Long, Integer> waiting = new HashMap<>();

    /** Outcomes that were seen before their submission was noted. */
    private final Set<Long> early = new HashSet<>();

    private final int[] counts;

    /** Since when each partition has been silent; null while nothing waits. */
    private final Instant[] silentSince;

    private final Instant[] lastOutcomes;
    private final List<Silence> ended = new ArrayList<>();

    Flow(int partitions) {
        counts = new int[partitions];
        silentSince = new Instant[partitions];
        lastOutcomes = new Instant[partitions];
    }

    /** Begins to measure: what was before does not count. */
    synchronized void begin(Instant now) {
        ended.clear();
        for (int partition = 0; partition < counts.length; partition++) {
            silentSince[partition] = counts[partition] > 0 ? now : null;
        }
    }

    /** Notes that the broker has an image. */
    synchronized void accepted(long sequence, int partition, Instant now) {
        if (early.remove(sequence)) {
            return;
        }
        waiting.put(sequence, partition);
        counts[partition]++;
        if (silentSince[partition] == null) {
            silentSince[partition] = now;
        }
    }

    /** Notes that an image's outcome is committed. */
    synchronized void outcome(long sequence, int partition, Instant now) {
        if (waiting.remove(sequence) == null) {
            early.add(sequence);
        } else {
            counts[partition]--;
        }
        if (silentSince[partition] != null) {
            record(new Silence(partition, silentSince[partition], now), ended);
        }
        silentSince[partition] = counts[partition] > 0 ? now : null;
        lastOutcomes[partition] = now;
    }

    private static void record(Silence silence, List<Silence> silences) {
        if (silence.length().compareTo(SHORTEST) >= 0) {
            silences.add(silence);
        }
    }

    /** How many images wait. */
    synchronized int waiting() {
        return waiting.size();
    }

    int partitions() {
        return counts.length;
    }

    /** Since when images of a partition have waited without an outcome; empty if none waits. */
    synchronized Optional<Instant> silentSince(int partition) {
        return Optional.ofNullable(silentSince[partition]);
    }

    /** When the partition's last outcome was seen. */
    synchronized Optional<Instant> lastOutcome(int partition) {
        return Optional.ofNullable(lastOutcomes[partition]);
    }

    /** Whether no partition is silent. */
    synchronized boolean flows(Instant now) {
        return silences(now).stream().noneMatch(silence -> silence.end().equals(now));
    }

    /** All silences so far, including those that last. */
    synchronized List<Silence> silences(Instant now) {
        List<Silence> all = new ArrayList<>(ended);
        for (int partition = 0; partition < counts.length; partition++) {
            if (silentSince[partition] != null) {
                record(new Silence(partition, silentSince[partition], now), all);
            }
        }
        return all;
    }
}
