/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;

/** What faults can be done to. {@code random} is the round's own. */
record Scene(BrokerProcess broker, Fleet fleet, ImageServer images, Load load, Spells spells, SplittableRandom random) {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** An instance that tags images; empty if there is none for a minute. */
    Optional<Instance> anyReady() throws InterruptedException {
        return fleet.anyReady(random, PATIENCE);
    }

    /** A duration in [least, most). */
    Duration between(Duration least, Duration most) {
        return Duration.ofMillis(random.nextLong(least.toMillis(), most.toMillis()));
    }

    /** Lets time pass. */
    void pass(Duration least, Duration most) throws InterruptedException {
        Thread.sleep(between(least, most).toMillis());
    }
}
