/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class RecordTimestampTest {
    @Test
    void shouldKeepTimesThatKafkaTakesOnlyAndNeverRefuseARecord() {
        long before = System.currentTimeMillis();

        assertThat(extracted(1_700_000_000_000L)).isEqualTo(1_700_000_000_000L);
        assertThat(extracted(-1)).isZero();
        assertThat(extracted(Long.MIN_VALUE)).isZero();
        assertThat(extracted(Long.MAX_VALUE)).isBetween(before, System.currentTimeMillis());
    }

    private static long extracted(long timestamp) {
        return new RecordTimestamp()
                .extract(
                        new ConsumerRecord<>(
                                "images",
                                0,
                                0,
                                timestamp,
                                TimestampType.CREATE_TIME,
                                0,
                                0,
                                null,
                                null,
                                new RecordHeaders(),
                                Optional.empty()),
                        0);
    }
}
