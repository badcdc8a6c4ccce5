/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class PositionsTest {
    private static final TopicPartition ONE = new TopicPartition("tags", 1);
    private static final TopicPartition OTHER = new TopicPartition("tags", 2);

    private final Positions positions = new Positions();

    @Test
    void shouldBeSettledUpToTheFirstRecordThatOwesItsOutcome() {
        positions.assigned(List.of(ONE, OTHER));
        positions.owe(ONE, 3, 10);
        positions.owe(ONE, 5, 10);
        positions.owe(OTHER, 4, 10);
        assertThat(positions.settledUpTo(ONE, 9)).isEqualTo(3);

        positions.settle(ONE, 5);
        assertThat(positions.settledUpTo(ONE, 9)).as("3 is still owed").isEqualTo(3);
        positions.settle(ONE, 3);
        assertThat(positions.settledUpTo(ONE, 9)).isEqualTo(9);
        assertThat(positions.settledUpTo(OTHER, 9)).isEqualTo(4);
        assertThat(positions.size()).isEqualTo(1);
        assertThat(positions.bytes()).isEqualTo(10);
    }

    @Test
    void shouldForgetWhatPartitionsOweThatAreSomebodyElses() {
        positions.assigned(List.of(ONE, OTHER));
        positions.owe(ONE, 3, 10);
        positions.owe(OTHER, 4, 10);
        positions.revoked(List.of(ONE));
        positions.settle(ONE, 3);

        assertThat(positions.isAssigned(ONE)).isFalse();
        assertThat(positions.owes(ONE, 3)).isFalse();
        assertThat(positions.owes(OTHER, 4)).isTrue();
        assertThat(positions.size()).isEqualTo(1);
        assertThat(positions.bytes()).isEqualTo(10);
    }
}
