/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class WaitsTest {
    private static final Wait FOR_A_BUNDLE = new Wait(WaitReason.OTHER_MODEL, "for a newer bundle");
    private static final Wait FOR_A_VOCABULARY = new Wait(WaitReason.VOCABULARY_BEHIND, "for a vocabulary");

    private final Waits waits = new Waits();

    @Test
    void shouldSayWhichPartitionWaitsForWhatUntilNoneDoes() {
        assertThat(waits.first()).isEmpty();
        waits.begin(3, FOR_A_BUNDLE);
        waits.begin(5, FOR_A_VOCABULARY);
        assertThat(waits.first()).contains(Map.entry(3, FOR_A_BUNDLE));
        assertThat(waits.of(5)).contains(FOR_A_VOCABULARY);

        waits.end(3);
        assertThat(waits.first()).contains(Map.entry(5, FOR_A_VOCABULARY));
        waits.end(5);
        assertThat(waits.first()).isEmpty();
        assertThat(waits.of(5)).isEmpty();
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

    @Test
    void shouldCountAPartitionOnceThatSaysWhatItLacksAndIsSilent() {
        waits.begin(1, FOR_A_BUNDLE);
        waits.silent(
                Map.of(
                        new TopicPartition("images", 1), FOR_A_BUNDLE,
                        new TopicPartition("images", 2), FOR_A_BUNDLE),
                Duration.ofSeconds(90));

        assertThat(waits.partitions(WaitReason.OTHER_MODEL)).isEqualTo(2);
        assertThat(waits.longestSeconds()).isEqualTo(90);
    }
}
