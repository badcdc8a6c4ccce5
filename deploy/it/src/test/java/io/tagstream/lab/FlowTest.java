/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Tests how silence is measured. */
class FlowTest {
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    private final Flow flow = new Flow(2);

    private static Instant second(int seconds) {
        return BEGIN.plusSeconds(seconds);
    }

    @Test
    void shouldMeasureFromTheFirstWaitingImageToTheNextOutcome() {
        flow.accepted(1, 0, second(0));
        flow.accepted(2, 0, second(3));
        flow.outcome(1, 0, second(5));
        flow.outcome(2, 0, second(12));

        assertThat(flow.silences(second(20)))
                .containsExactly(new Silence(0, second(0), second(5)), new Silence(0, second(5), second(12)));
        assertThat(flow.flows(second(20))).isTrue();
    }

    @Test
    void shouldNotCountTimeInWhichNothingWaits() {
        flow.accepted(1, 0, second(0));
        flow.outcome(1, 0, second(0));
        flow.accepted(2, 0, second(30));
        flow.outcome(2, 0, second(32));

        assertThat(flow.silences(second(40))).containsExactly(new Silence(0, second(30), second(32)));
    }

    @Test
    void shouldMeasureASilenceThatLasts() {
        flow.accepted(1, 1, second(4));

        assertThat(flow.silences(second(9))).containsExactly(new Silence(1, second(4), second(9)));
        assertThat(flow.flows(second(9))).isFalse();
        assertThat(flow.silentSince(1)).contains(second(4));
        assertThat(flow.silentSince(0)).isEmpty();
    }

    @Test
    void shouldTakeAnOutcomeThatIsSeenBeforeItsSubmission() {
        flow.outcome(1, 0, second(1));
        flow.accepted(1, 0, second(2));

        assertThat(flow.waiting()).isZero();
        assertThat(flow.silences(second(9))).isEmpty();
    }

    @Test
    void shouldForgetWhatWasBeforeTheBegin() {
        flow.accepted(1, 0, second(0));
        flow.outcome(1, 0, second(5));
        flow.accepted(2, 0, second(6));
        flow.begin(second(10));
        flow.outcome(2, 0, second(12));

        assertThat(flow.silences(second(13))).containsExactly(new Silence(0, second(10), second(12)));
    }
}
