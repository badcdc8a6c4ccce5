/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final Duration BEAT = Duration.ofMillis(10);
    private static final Duration LONG = Duration.ofMillis(100);

    private final Pace pace = new Pace(BEAT);
    private final List<Duration> waits = new ArrayList<>();
    private final Consumer<byte[], byte[]> consumer = pace.paced(new MockConsumer<>("earliest") {
        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration wait) {
            waits.add(wait);
            return ConsumerRecords.empty();
        }
    });

    @Test
    void shouldWaitForABeatWhileThereIsWork() {
        consumer.poll(LONG);
        Pace.Work first = pace.begin();
        Pace.Work second = pace.begin();
        consumer.poll(LONG);
        first.end();
        first.end();
        consumer.poll(LONG);
        second.end();
        consumer.poll(LONG);
        assertThat(waits).containsExactly(LONG, BEAT, BEAT, LONG);
    }

    @Test
    void shouldNotWaitWhereKafkaStreamsDoesNot() {
        pace.begin();
        consumer.poll(Duration.ZERO);
        assertThat(waits).containsExactly(Duration.ZERO);
    }

    @Test
    void shouldNotHurryOtherThreads() throws InterruptedException {
        List<Pace.Work> begun = new ArrayList<>();
        Thread other = new Thread(() -> begun.add(pace.begin()));
        other.start();
        other.join();
        consumer.poll(LONG);
        begun.get(0).end();
        assertThat(waits).containsExactly(LONG);
    }
}
