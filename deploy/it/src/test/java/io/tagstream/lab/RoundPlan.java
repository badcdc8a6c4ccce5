/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The plan of a round, drawn from its seed. Only the exact timing of events is left to chance.
 *
 * @param partitions partitions of each topic
 * @param instances instances at the start
 * @param threads stream threads of each instance
 * @param repartition whether images are re-keyed
 * @param pendingMost how many images a partition accepts before it waits
 * @param featuresMost of how many images a partition keeps the features
 * @param impatient whether the instances' producers give up after 4 to 6 s, instead of a minute or two, on a broker that
 *     does not answer
 * @param emptyVocabulary whether there are no labels at the start
 * @param registryDown whether the registry is down at the start
 * @param apart whether each fault waits until the effects of the one before are over
 * @param healthAfterSeconds how long images may wait before health says so: the default, or so little that every fault
 *     shows
 * @param faults the faults in order; unless they are apart, those of different lanes are injected at the same time
 */
record RoundPlan(
        long seed,
        int partitions,
        int instances,
        int threads,
        boolean repartition,
        int pendingMost,
        int featuresMost,
        boolean impatient,
        boolean emptyVocabulary,
        boolean registryDown,
        boolean apart,
        int healthAfterSeconds,
        List<Fault> faults) {
    private static final int DEFAULT_HEALTH_AFTER = 60;
    private static final int SHORT_HEALTH_AFTER = 3;
    private static final int DEFAULT_PENDING_MOST = 4_000;
    private static final int DEFAULT_FEATURES_MOST = 20_000;

    /** Fewer than there are known images, so that some must be read again. */
    private static final int FEW_FEATURES = 20;

    /** A round to measure silences in: two instances with the usual settings, and one fault after another. */
    static RoundPlan measuring(long seed, List<Fault> faults) {
        return new RoundPlan(
                seed,
                4,
                2,
                1,
                true,
                DEFAULT_PENDING_MOST,
                DEFAULT_FEATURES_MOST,
                false,
                false,
                false,
                true,
                DEFAULT_HEALTH_AFTER,
                faults);
    }

    /** Draws a round with this many faults. */
    static RoundPlan draw(long seed, int faults) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Fault> drawn = new ArrayList<>();
        for (int i = 0; i < faults; i++) {
            drawn.add(drawFault(random));
        }
        return new RoundPlan(
                seed,
                pick(random, 1, 2, 3, 4),
                pick(random, 1, 2, 2, 3),
                pick(random, 1, 1, 1, 2),
                random.nextInt(3) > 0,
                pick(random, 20, 200, 1_000),
                pick(random, FEW_FEATURES, DEFAULT_FEATURES_MOST),
                random.nextInt(3) == 0,
                random.nextInt(5) == 0,
                random.nextInt(6) == 0,
                random.nextBoolean(),
                pick(random, DEFAULT_HEALTH_AFTER, SHORT_HEALTH_AFTER),
                drawn);
    }

    /** The same round with other faults. */
    RoundPlan withFaults(List<Fault> others) {
        return new RoundPlan(
                seed,
                partitions,
                instances,
                threads,
                repartition,
                pendingMost,
                featuresMost,
                impatient,
                emptyVocabulary,
                registryDown,
                apart,
                healthAfterSeconds,
                others);
    }

    private static int pick(SplittableRandom random, int... values) {
        return values[random.nextInt(values.length)];
    }

    private static Fault drawFault(SplittableRandom random) {
        List<Fault> weighted = new ArrayList<>();
        for (Fault fault : Fault.values()) {
            for (int i = 0; i < fault.weight(); i++) {
                weighted.add(fault);
            }
        }
        return weighted.get(random.nextInt(weighted.size()));
    }

    @Override
    public String toString() {
        return "seed %d: %d partition%s, %d instance%s of %d thread%s, %s, up to %d pending, features of %d, health after %d s%s%s%s%s"
                .formatted(
                        seed,
                        partitions,
                        partitions == 1 ? "" : "s",
                        instances,
                        instances == 1 ? "" : "s",
                        threads,
                        threads == 1 ? "" : "s",
                        repartition ? "re-keyed" : "not re-keyed",
                        pendingMost,
                        featuresMost,
                        healthAfterSeconds,
                        apart ? ", one fault after another" : "",
                        impatient ? ", impatient" : "",
                        emptyVocabulary ? ", no vocabulary at first" : "",
                        registryDown ? ", no registry at first" : "");
    }
}
