/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.it.InFull;
import io.tagstream.it.InRun;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The laboratory's short run: two rounds, fixed seeds, a few faults of each kind. */
class CrashLaboratoryIT {
    /** A round settles within seconds on an idle machine; this allows for a busy one. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** The bounds of silence are for an idle machine; this allows for a busy one. */
    private static final double SLACK = 3;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @InRun
    @Test
    void shouldKeepItsPromisesWhileInstancesDieAndImagesCannotBeFetched() throws Exception {
        RoundResult result = run(new RoundPlan(
                1,
                3,
                2,
                1,
                true,
                200,
                20,
                false,
                false,
                false,
                false,
                60,
                List.of(
                        Fault.IMAGES_REFUSED,
                        Fault.THREAD_DIED,
                        Fault.INSTANCE_KILLED,
                        Fault.KILLED_DURING_COMMIT,
                        Fault.COMMIT_TIMED_OUT)));

        assertThat(result.faults()).containsKeys(Fault.INSTANCE_KILLED.name(), Fault.IMAGES_REFUSED.name());
    }

    @InFull
    @Test
    void shouldKeepItsPromisesWhileBrokerAndRegistryGoAndComeBack() throws Exception {
        RoundResult result = run(new RoundPlan(
                2,
                2,
                1,
                1,
                false,
                200,
                20,
                false,
                true,
                true,
                false,
                60,
                List.of(
                        Fault.BROKER_KILLED,
                        Fault.INSTANCE_ADDED,
                        Fault.KILLED_IN_RESTORE,
                        Fault.KILLED_AFTER_FORWARD,
                        Fault.VOCABULARY_LAGS,
                        Fault.REGISTRY_DOWN,
                        Fault.KILLED_IN_REVOCATION)));

        assertThat(result.faults())
                .containsKeys(
                        Fault.BROKER_KILLED.name(),
                        Fault.REGISTRY_DOWN.name(),
                        Round.EMPTY_VOCABULARY,
                        Round.REGISTRY_DOWN);
    }

    /** Fresh images are tagged rightly; what is wrong shows once a label is added. */
    @InFull
    @Test
    void shouldFindFeaturesThatAreCrossedBetweenImages() throws Exception {
        RoundPlan plan = new RoundPlan(3, 2, 1, 1, true, 200, 20_000, false, false, false, false, 60, List.of());
        Round.Conditions conditions = new Round.Conditions(PATIENCE, 10, 0, true, SLACK, Map.of());

        RoundResult result = new Round(plan, directory, conditions).run();

        assertThat(result.kinds()).containsKey(Violation.Kind.NOT_FOLLOWED);
    }

    private RoundResult run(RoundPlan plan) throws Exception {
        RoundResult result = new Round(plan, directory, Round.Conditions.usual(PATIENCE, SLACK)).run();
        assertThat(result.violations())
                .as("%s%n%s, %s", plan, result.faults(), directory)
                .isEmpty();
        assertThat(result.submissions()).as("records checked").isPositive();
        return result;
    }
}
