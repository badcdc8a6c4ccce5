/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Histories of two instances, each made by a seed: images and labels change while tasks move, instances die and freeze,
 * transactions abort, models change and stores and topics are lost. In the end everything is as promised.
 *
 * <p>{@code -Dsimulator.seeds=N} tries more seeds, starting at {@code -Dsimulator.first}.
 */
class SimulatorTest {
    private static final int SEEDS = Integer.getInteger("simulator.seeds", 40);
    private static final long FIRST = Long.getLong("simulator.first", 0);

    @Test
    void shouldKeepItsPromisesInEveryHistory() {
        long began = System.nanoTime();
        long submissions = 0;
        long events = 0;
        for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
            History history = History.of(seed);
            try {
                Outcomes outcomes = Simulation.run(history);
                submissions += outcomes.submissions();
                events += outcomes.events();
            } catch (Violation violation) {
                fail(told(history, violation), violation);
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.printf(
                "%d histories, %d submissions, %d tag events without one, %.0f histories an hour%n",
                SEEDS, submissions, events, SEEDS / seconds * 3600);
    }

    @Test
    void shouldHaveTheSameOutcomesWithTheSameSeed() {
        for (long seed = FIRST; seed < FIRST + 5; seed++) {
            assertThat(Simulation.run(History.of(seed)))
                    .as("seed %d", seed)
                    .isEqualTo(Simulation.run(History.of(seed)));
        }
    }

    /** A violation with the shortest history that leads to it. */
    static String told(History history, Violation violation) {
        History shortened = Shortening.of(history, violation);
        Optional<Violation> stillBroken = Shortening.violation(shortened);
        return "Seed %d: %s%nof %d steps these are enough:%n  %s%n%s%nwith %s"
                .formatted(
                        history.seed(),
                        violation.getMessage(),
                        history.steps().size(),
                        shortened.steps().stream().map(Step::toString).collect(Collectors.joining("\n  ")),
                        stillBroken.map(Violation::getMessage).orElse(""),
                        history.settings());
    }
}
