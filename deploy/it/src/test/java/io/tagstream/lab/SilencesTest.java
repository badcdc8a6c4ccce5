/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.lab.Violation.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests which silences are too long, and whose they are. */
class SilencesTest {
    private final Effects effects = new Effects(1);

    /** The fault is injected, and over, now. */
    private void inject(Fault fault) {
        effects.begin(fault, Instant.now()).injected();
    }

    private static Silence silence(Duration length) {
        Instant begin = Instant.now().minusMillis(1);
        return new Silence(0, begin, begin.plus(length));
    }

    @Test
    void shouldAllowAFaultItsBoundAndNoMore() {
        inject(Fault.INSTANCE_KILLED);
        Duration bound = Fault.INSTANCE_KILLED.bound();

        assertThat(Silences.check(List.of(silence(bound)), effects)).isEmpty();
        assertThat(Silences.check(List.of(silence(bound.plusMillis(1))), effects))
                .extracting(Violation::kind)
                .containsExactly(Kind.SILENT_TOO_LONG);
    }

    @Test
    void shouldAddTheBoundsOfFaultsThatComeTogether() {
        inject(Fault.INSTANCE_KILLED);
        inject(Fault.BROKER_KILLED);
        Duration both = Fault.INSTANCE_KILLED.bound().plus(Fault.BROKER_KILLED.bound());

        assertThat(Silences.check(List.of(silence(both)), effects)).isEmpty();
        assertThat(Silences.check(List.of(silence(both.plusMillis(1))), effects))
                .hasSize(1);
        assertThat(Silences.of(List.of(silence(both)), effects).alone()).isEmpty();
        assertThat(Silences.of(List.of(silence(both)), effects).together())
                .containsOnlyKeys("INSTANCE_KILLED+BROKER_KILLED");
    }

    @Test
    void shouldGiveTheLongestSilenceOfAFault() {
        inject(Fault.THREAD_DIED);

        Silences found = Silences.of(List.of(silence(Duration.ofSeconds(3)), silence(Duration.ofSeconds(8))), effects);

        assertThat(found.alone()).containsOnlyKeys(Fault.THREAD_DIED);
        assertThat(found.alone().get(Fault.THREAD_DIED)).isEqualTo(Duration.ofSeconds(8));
        assertThat(found).hasToString("THREAD_DIED 8.0 s of 15.0 s");
    }

    @Test
    void shouldNotAllowSilenceWithoutAFault() {
        assertThat(Silences.check(List.of(silence(Duration.ofSeconds(16))), effects))
                .hasSize(1);
    }
}
