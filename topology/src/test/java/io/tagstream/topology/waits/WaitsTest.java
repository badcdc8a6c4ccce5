/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitsTest {
    private static final Wait FOR_A_BUNDLE = new Wait(WaitReason.OTHER_MODEL, "for a newer bundle");
    private static final Wait FOR_A_VOCABULARY = new Wait(WaitReason.VOCABULARY_BEHIND, "for a vocabulary");

    private final Waits waits = new Waits();

    @Test
    void shouldSayWhichPartitionWaitsForWhatUntilNoneDoes() {
        assertThat(waits.reason()).isEmpty();
        waits.begin(3, FOR_A_BUNDLE);
        assertThat(waits.reason()).contains("partition 3 is waiting: for a newer bundle");
        waits.begin(2, FOR_A_BUNDLE);
        waits.begin(5, FOR_A_VOCABULARY);
        assertThat(waits.reason()).contains("partition 2 is waiting, and so are 2 others: for a newer bundle");

        waits.end(2);
        waits.end(3);
        assertThat(waits.reason()).contains("partition 5 is waiting: for a vocabulary");
        waits.end(5);
        assertThat(waits.reason()).isEmpty();
    }

    @Test
    void shouldCountThePartitionsThatWaitForAReason() {
        waits.begin(1, FOR_A_BUNDLE);
        waits.begin(2, FOR_A_BUNDLE);
        waits.begin(2, FOR_A_VOCABULARY);

        assertThat(waits.partitions(WaitReason.OTHER_MODEL)).isEqualTo(1);
        assertThat(waits.partitions(WaitReason.VOCABULARY_BEHIND)).isEqualTo(1);
        waits.end(2);
        assertThat(waits.partitions(WaitReason.VOCABULARY_BEHIND)).isZero();
    }
}
