/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ThreadTimesTest {
    private static final String REST = " elapsed=9.10s tid=0x00007f01 nid=0x1 runnable  [0x0000]";

    @Test
    void shouldReadTheLastDumpOfAnOutput() {
        ThreadTimes times = ThreadTimes.of(List.of(
                "12:00 INFO \"quoted\" cpu=99.00ms is no thread",
                "\"main\" #1 prio=5 os_prio=0 cpu=10.00ms" + REST,
                "JNI global refs: 21, weak refs: 0",
                "12:01 INFO between the dumps",
                "\"main\" #1 prio=5 os_prio=0 cpu=12.50ms" + REST,
                "   java.lang.Thread.State: RUNNABLE",
                "\"a-1-StreamThread-1\" #9 daemon prio=5 os_prio=0 cpu=1500.25ms" + REST,
                "\"GC Thread#0\" os_prio=0 cpu=3.00ms elapsed=9.10s tid=0x00007f01 nid=0x2 runnable  ",
                "JNI global refs: 21, weak refs: 0"));

        assertThat(times.nanosByName())
                .isEqualTo(
                        Map.of("main", 12_500_000L, "a-1-StreamThread-1", 1_500_250_000L, "GC Thread#0", 3_000_000L));
    }

    @Test
    void shouldCountWhatWasAddedAlsoByNewThreads() {
        ThreadTimes before = new ThreadTimes(Map.of("main", 5L, "ended", 7L));
        ThreadTimes after = new ThreadTimes(Map.of("main", 8L, "new", 2L));

        assertThat(after.since(before).nanosByName()).isEqualTo(Map.of("main", 3L, "new", 2L));
    }

    @Test
    void shouldTellThreadsByTheirNames() {
        assertThat(CeilingStage.of("tagstream-6e4aeefc-adea-41aa-b054-d014ff30471e-StreamThread-2"))
                .isEqualTo(CeilingStage.STREAMS);
        assertThat(CeilingStage.of("tagstream-inference")).isEqualTo(CeilingStage.MODEL);
        assertThat(CeilingStage.of("tagstream-fetch-3")).isEqualTo(CeilingStage.FETCH);
        assertThat(CeilingStage.of("kafka-producer-network-thread | a")).isEqualTo(CeilingStage.KAFKA);
        assertThat(CeilingStage.of("C2 CompilerThread0")).isEqualTo(CeilingStage.COMPILER);
        assertThat(CeilingStage.of("main")).isEqualTo(CeilingStage.OTHERS);
    }
}
