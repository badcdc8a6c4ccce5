/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitsTest {
    private final Waits waits = new Waits();

    @Test
    void shouldSayWhichPartitionWaitsForWhatUntilNoneDoes() {
        assertThat(waits.reason()).isEmpty();
        waits.begin(3, "for a newer bundle");
        assertThat(waits.reason()).contains("partition 3 is waiting: for a newer bundle");
        waits.begin(2, "for a newer bundle");
        waits.begin(5, "for a vocabulary");
        assertThat(waits.reason()).contains("partition 2 is waiting, and so are 2 others: for a newer bundle");
        assertThat(waits.partitions()).isEqualTo(3);

        waits.end(2);
        waits.end(3);
        assertThat(waits.reason()).contains("partition 5 is waiting: for a vocabulary");
        waits.end(5);
        assertThat(waits.reason()).isEmpty();
    }
}
