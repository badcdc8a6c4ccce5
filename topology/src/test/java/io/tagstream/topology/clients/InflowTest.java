/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InflowTest {
    private static final TopicPartition FULL = new TopicPartition("images", 0);
    private static final TopicPartition OTHER = new TopicPartition("images", 1);

    private final Inflow inflow = new Inflow();
    private final MockConsumer<byte[], byte[]> kafka = new MockConsumer<>("earliest");
    private final Consumer<byte[], byte[]> consumer = inflow.holding(kafka);

    @BeforeEach
    void assign() {
        consumer.assign(List.of(FULL, OTHER));
        kafka.updateBeginningOffsets(Map.of(FULL, 0L, OTHER, 0L));
    }

    @Test
    void shouldReadOnOfOtherPartitionsWhileOneIsHeld() {
        inflow.hold(FULL);
        kafka.addRecord(new ConsumerRecord<>("images", 1, 0, null, new byte[0]));
        assertThat(consumer.poll(Duration.ZERO)).hasSize(1);
        assertThat(kafka.paused()).containsExactly(FULL);
        inflow.release(FULL);
        assertThat(consumer.poll(Duration.ZERO)).isEmpty();
        assertThat(kafka.paused()).isEmpty();
    }

    @Test
    void shouldNotResumeWhatKafkaStreamsHasPaused() {
        consumer.pause(List.of(FULL));
        inflow.hold(FULL);
        poll();
        inflow.release(FULL);
        poll();
        assertThat(kafka.paused()).containsExactly(FULL);
        consumer.resume(List.of(FULL));
        assertThat(kafka.paused()).isEmpty();
    }

    @Test
    void shouldNotLetKafkaStreamsResumeWhatIsHeld() {
        inflow.hold(FULL);
        poll();
        consumer.pause(List.of(FULL, OTHER));
        consumer.resume(List.of(FULL, OTHER));
        assertThat(kafka.paused()).containsExactly(FULL);
        inflow.release(FULL);
        poll();
        assertThat(kafka.paused()).isEmpty();
    }

    @Test
    void shouldHoldAPartitionAgainThatWentAndCameBack() {
        inflow.hold(FULL);
        poll();
        kafka.assign(List.of(OTHER));
        kafka.assign(List.of(FULL, OTHER));
        poll();
        assertThat(kafka.paused()).containsExactly(FULL);
    }

    @Test
    void shouldLeaveAloneWhatIsHeldElsewhere() {
        inflow.hold(new TopicPartition("images", 7));
        poll();
        assertThat(kafka.paused()).isEmpty();
    }

    @Test
    void shouldPassOnWhatTheConsumerThrows() {
        consumer.close();
        assertThatThrownBy(this::poll).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    private void poll() {
        assertThat(consumer.poll(Duration.ZERO)).isEmpty();
    }
}
