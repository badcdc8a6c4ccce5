/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.topology.TestConfig;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.internal.AbstractRecords;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.Test;

class RecordLimitTest {
    @Test
    void shouldBeWhatTheProducerTakes() {
        assertThat(RecordLimit.of(TestConfig.with()).bytes()).isEqualTo(1_048_576);
        assertThat(RecordLimit.of(TestConfig.with("kafka.max.request.size", "3000000"))
                        .bytes())
                .isEqualTo(3_000_000);
        assertThat(RecordLimit.of(TestConfig.with("kafka.producer.max.request.size", "2000000"))
                        .bytes())
                .isEqualTo(2_000_000);
        assertThatThrownBy(() -> RecordLimit.of(TestConfig.with("kafka.max.request.size", "1000")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("kafka.max.request.size")
                .hasMessageContaining("65536");
    }

    @Test
    void shouldNeverCountLessThanTheProducerDoes() {
        byte[] key = "id".getBytes(StandardCharsets.UTF_8);
        byte[] value = new byte[1_000];
        RecordHeaders headers = new RecordHeaders();
        headers.add("été", new byte[300]).add("empty", null);
        for (int count = 0; count < 50; count++) {
            headers.add("header-" + count, new byte[count]);
        }

        int counted = AbstractRecords.estimateSizeInBytesUpperBound(
                RecordBatch.CURRENT_MAGIC_VALUE, CompressionType.NONE, key, value, headers.toArray());
        assertThat(RecordLimit.sizeOf(key, value, headers)).isGreaterThanOrEqualTo(counted);
        assertThat(RecordLimit.sizeOf(null, null, List.of())).isPositive();
    }
}
