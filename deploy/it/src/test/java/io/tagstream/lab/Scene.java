/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Everything that faults can affect, and the randomness of one lane of faults.
 *
 * @param apart whether each fault waits until the effects of the one before are over
 */
record Scene(
        BrokerProcess broker,
        RegistryProxy registry,
        Fleet fleet,
        ImageServer images,
        Load load,
        Spells spells,
        Topics topics,
        Operator operator,
        boolean apart,
        SplittableRandom random) {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Any instance, preferably one that is tagging images now. */
    Instance anyInstance() {
        List<Instance> all = fleet.instances();
        List<Instance> ready = all.stream().filter(Instance::isReady).toList();
        List<Instance> candidates = ready.isEmpty() ? all : ready;
        return candidates.get(random.nextInt(candidates.size()));
    }

    /** An instance that is tagging images; empty if there is none for a minute. */
    Optional<Instance> anyReady() throws InterruptedException {
        return fleet.anyReady(random, PATIENCE);
    }

    /** The same scene for another lane. */
    Scene withRandom(SplittableRandom other) {
        return new Scene(broker, registry, fleet, images, load, spells, topics, operator, apart, other);
    }

    /** A duration in [least, most). */
    Duration between(Duration least, Duration most) {
        return Duration.ofMillis(random.nextLong(least.toMillis(), most.toMillis()));
    }

    /** Sleeps for a duration in [least, most). */
    void pass(Duration least, Duration most) throws InterruptedException {
        Thread.sleep(between(least, most).toMillis());
    }
}
