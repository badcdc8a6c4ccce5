/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SourceLimitTest {
    private final SourceLimit limit = new SourceLimit(64);

    @Test
    void shouldBeginAtItsMaximum() {
        assertThat(limit.current()).isEqualTo(64);
        assertThat(limit.reduced()).isFalse();
    }

    @Test
    void shouldHalveOnceForAllThatWasUnderWayTogether() {
        for (int i = 0; i < 64; i++) {
            limit.overloaded(i, 100 + i);
        }
        assertThat(limit.current()).isEqualTo(32);
        limit.overloaded(101, 200);
        assertThat(limit.current()).isEqualTo(16);
    }

    @Test
    void shouldNeverFallBelowOne() {
        for (int i = 0; i < 100; i++) {
            limit.overloaded(i, i);
        }
        assertThat(limit.current()).isEqualTo(1);
    }

    @Test
    void shouldGrowByAboutOneForAsManyAnswersAsItAllows() {
        limit.overloaded(0, 0);
        for (int i = 0; i < 33; i++) {
            limit.answered(limit.current());
        }
        assertThat(limit.current()).isEqualTo(33);
        for (int i = 0; i < 10_000; i++) {
            limit.answered(limit.current());
        }
        assertThat(limit.current()).isEqualTo(64);
    }

    @Test
    void shouldNotGrowWhileItIsNotReached() {
        limit.overloaded(0, 0);
        for (int i = 0; i < 10_000; i++) {
            limit.answered(limit.current() - 1);
        }
        assertThat(limit.current()).isEqualTo(32);
    }
}
