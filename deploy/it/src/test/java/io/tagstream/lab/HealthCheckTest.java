/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.lab.HealthCheck.Answer;
import io.tagstream.lab.HealthCheck.Limits;
import io.tagstream.lab.Violation.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests that the laboratory finds answers of {@code /health/tagging} that are not true. */
class HealthCheckTest {
    private static final String NAMED =
            "images of partitions 0, 1 of input have waited for 20 s without any coming out (RESTORING): x. y";
    private static final Limits LIMITS =
            new Limits(Duration.ofSeconds(3), Duration.ofSeconds(10), Duration.ofSeconds(10));

    private final Instant begin = Instant.now();
    private final Flow flow = new Flow(2);
    private final Effects effects = new Effects(1);
    private final HealthCheck check = new HealthCheck(flow, effects, LIMITS, "input");

    private void sample(int second, boolean healthy, String text) {
        Instant now = begin.plusSeconds(second);
        check.check(List.of(new Answer("instance-1 7", now, healthy, text)), 1, now);
    }

    private void sampleUntil(int lastSecond, boolean healthy, String text) {
        for (int second = 0; second <= lastSecond; second++) {
            sample(second, healthy, text);
        }
    }

    @Test
    void shouldFindThatASilentPartitionIsNotNamedAndSayItOnce() {
        flow.accepted(1, 0, begin);

        sampleUntil(8, true, "tagging");
        assertThat(check.violations()).isEmpty();
        sampleUntil(20, true, "tagging");
        assertThat(check.violations()).extracting(Violation::kind).containsExactly(Kind.UNTRUE_HEALTH);
    }

    @Test
    void shouldAcceptASilenceThatIsNamed() {
        effects.begin(Fault.INSTANCE_KILLED, begin);
        flow.accepted(1, 0, begin);

        sampleUntil(30, false, NAMED);

        assertThat(check.violations()).isEmpty();
        assertThat(check.named()).containsOnlyKeys(io.tagstream.topology.waits.WaitReason.RESTORING);
    }

    @Test
    void shouldGiveAnInstanceThatHasJustStartedTimeToNotice() {
        flow.accepted(1, 0, begin.minusSeconds(60));

        sampleUntil(8, true, "tagging");

        assertThat(check.violations()).isEmpty();
    }

    @Test
    void shouldFindThatAPartitionIsNamedAlthoughItsImagesComeOut() {
        effects.begin(Fault.INSTANCE_KILLED, begin);
        flow.accepted(1, 1, begin.plusSeconds(12));
        flow.outcome(1, 1, begin.plusSeconds(13));

        sample(21, false, NAMED);

        assertThat(check.violations()).singleElement().asString().contains("partition 1 had an outcome");
    }

    @Test
    void shouldFindAReasonThatDoesNotFit() {
        effects.begin(Fault.IMAGES_HANG, begin);
        flow.accepted(1, 0, begin);

        sample(20, false, NAMED);

        assertThat(check.violations()).singleElement().asString().contains("RESTORING does not fit", "IMAGES_HANG");
    }
}
