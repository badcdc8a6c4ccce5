/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** What happens in a simulation, until everything comes to rest. A seed makes one. */
record History(long seed, Settings settings, List<Step> steps) {
    private static final int STEPS = 150;
    private static final int ANY = 1 << 20;
    private static final int WEIGHTS =
            Arrays.stream(Step.Deed.values()).mapToInt(Step.Deed::weight).sum();

    static History of(long seed) {
        Random random = new Random(seed);
        random.nextInt(); // neighbouring seeds' first numbers are alike
        Settings settings = Settings.random(random);
        List<Step> steps = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            steps.add(new Step(deed(random), random.nextInt(ANY), random.nextInt(ANY), random.nextInt(ANY)));
        }
        return new History(seed, settings, steps);
    }

    private static Step.Deed deed(Random random) {
        int left = random.nextInt(WEIGHTS);
        for (Step.Deed deed : Step.Deed.values()) {
            left -= deed.weight();
            if (left < 0) {
                return deed;
            }
        }
        throw new AssertionError("the weights add up");
    }

    /** The same with other steps. */
    History with(List<Step> others) {
        return new History(seed, settings, List.copyOf(others));
    }
}
