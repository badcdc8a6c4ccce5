/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class CopiesTest {
    private static final TopicPartition METAS = new TopicPartition("metas-changelog", 1);
    private static final TopicPartition FEATURES = new TopicPartition("features-changelog", 1);
    private static final TopicPartition OTHER = new TopicPartition("metas-changelog", 2);
    private static final OptionalLong END = OptionalLong.of(0);

    private long seconds;
    private final Restores restores = new Restores();
    private final Copies copies =
            new Copies(restores, () -> Duration.ofSeconds(seconds).toNanos());

    @Test
    void shouldBeCompleteOnceEveryChangelogOfThePartitionIsReadToItsEnd() {
        copies.read(this, Map.of(METAS, END, FEATURES, OptionalLong.empty(), OTHER, END));
        assertThat(copies.behind()).isEqualTo(Map.of(1, 0L));
        assertThat(copies.complete()).containsExactly(2);

        copies.read(this, Map.of(METAS, END, FEATURES, OptionalLong.of(7), OTHER, END));
        assertThat(copies.behind()).isEqualTo(Map.of(1, 7L));
        assertThat(copies.lag()).isEqualTo(7);

        copies.read(this, Map.of(METAS, END, FEATURES, END, OTHER, END));
        assertThat(copies.behind()).isEmpty();
        assertThat(copies.complete()).containsExactly(1, 2);
    }

    @Test
    void shouldStayCompleteWhileNewRecordsAreReadSoon() {
        copies.read(this, Map.of(METAS, END));
        for (int i = 0; i < 100; i++) {
            seconds += 5;
            copies.read(this, Map.of(METAS, OptionalLong.of(i % 2 == 0 ? 3 : 0)));
            assertThat(copies.behind()).isEmpty();
        }
        seconds += 11;
        copies.read(this, Map.of(METAS, OptionalLong.of(400)));
        assertThat(copies.behind()).isEqualTo(Map.of(1, 400L));
    }

    @Test
    void shouldNotBeCompleteIfNobodyReads() {
        copies.read(this, Map.of(METAS, END));
        seconds += 11;
        assertThat(copies.behind()).containsOnlyKeys(1);
    }

    @Test
    void shouldForgetWhatIsNoLongerCopiedAndLeaveOutTheTasksOfThisProcess() {
        copies.read(this, Map.of(METAS, OptionalLong.of(3), OTHER, OptionalLong.of(4)));
        restores.onRestoreStart(OTHER, "metas", 0, 4);
        assertThat(copies.behind()).isEqualTo(Map.of(1, 3L));

        copies.read(this, Map.of());
        assertThat(copies.behind()).isEmpty();
        copies.read(this, Map.of(METAS, OptionalLong.of(3)));
        copies.closed(this);
        assertThat(copies.behind()).isEmpty();
    }
}
