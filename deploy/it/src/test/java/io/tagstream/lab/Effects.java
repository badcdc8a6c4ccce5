/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.topology.waits.WaitReason;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * When faults have an effect on the flow of images, and how long each of them may make a partition silent.
 *
 * <p><i>Threading notes.</i> Thread-safe: each lane of faults notes its own.
 */
final class Effects {
    private final List<Effect> all = new CopyOnWriteArrayList<>();
    private final double slack;

    /**
     * A fault and the time in which it may have an effect: until it has been injected, and then for as long as its
     * bound, or until images flow again.
     */
    final class Effect {
        private final Fault fault;
        private final Instant begin;
        private volatile Instant end = Instant.MAX;

        private Effect(Fault fault, Instant begin) {
            this.fault = fault;
            this.begin = begin;
        }

        /** The fault has been injected, and nobody will say when it is over. */
        void injected() {
            end = Instant.now().plus(bound(fault));
        }

        /** Images flow again. */
        void over() {
            end = Instant.now();
        }

        private boolean overlaps(Instant from, Instant to) {
            return !begin.isAfter(to) && end.isAfter(from);
        }
    }

    /** {@code slack} is the factor for all bounds, more than 1 for a busy machine. */
    Effects(double slack) {
        this.slack = slack;
    }

    /** Notes that a fault is about to be injected. */
    Effect begin(Fault fault, Instant now) {
        Effect effect = new Effect(fault, now);
        all.add(effect);
        return effect;
    }

    /** The longest time for which a fault alone may make a partition silent. */
    Duration bound(Fault fault) {
        return scaled(fault.bound());
    }

    /** A duration on this machine. */
    Duration scaled(Duration duration) {
        return Duration.ofMillis(Math.round(duration.toMillis() * slack));
    }

    /** The faults that may have an effect between two moments, in order. */
    List<Fault> between(Instant from, Instant to) {
        return all.stream()
                .filter(effect -> effect.overlaps(from, to))
                .map(effect -> effect.fault)
                .sorted(Comparator.naturalOrder())
                .toList();
    }

    /** Why images may wait between two moments. */
    Set<WaitReason> reasons(Instant from, Instant to) {
        Set<WaitReason> reasons = EnumSet.noneOf(WaitReason.class);
        between(from, to).forEach(fault -> reasons.addAll(fault.kind().reasons()));
        return reasons;
    }
}
