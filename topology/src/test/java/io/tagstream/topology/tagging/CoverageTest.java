/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.topology.tagging.Coverage.Range;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CoverageTest {
    @Test
    void shouldSayOfEveryIdWhatItHasFollowed() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            Coverage coverage = Coverage.all(0);
            TreeMap<String, Long> expected = new TreeMap<>(Coverage.ID_ORDER);
            for (int i = 0; i < 40; i++) {
                expected.put(id(i), 0L);
            }
            for (int step = 0; step < 20; step++) {
                int from = random.nextInt(41) - 1;
                int to = from + 1 + random.nextInt(41 - from);
                String after = from < 0 ? null : id(from);
                String upTo = to >= 40 ? null : id(to);
                long epoch = random.nextInt(5);
                coverage = coverage.with(after, upTo, epoch);
                for (int i = from + 1; i <= Math.min(to, 39); i++) {
                    expected.put(id(i), epoch);
                }
            }
            for (Map.Entry<String, Long> id : expected.entrySet()) {
                assertThat(coverage.epoch(id.getKey()))
                        .as("%s in %s, seed %d", id.getKey(), coverage, seed)
                        .isEqualTo(id.getValue());
            }
            assertThat(Coverage.of(coverage.ranges()).ranges()).isEqualTo(coverage.ranges());
            assertThat(coverage.with(null, null, 9).isAll(9)).isTrue();
        }
    }

    @Test
    void shouldNeverClaimMoreThanWasFollowedWhereThereAreTooManyRanges() {
        Coverage coverage = Coverage.all(0);
        for (int i = 0; i < 100; i++) {
            coverage = coverage.with(id(i), id(i + 1), 1 + i);
        }

        assertThat(coverage.ranges()).hasSizeLessThanOrEqualTo(Coverage.MOST_RANGES);
        for (int i = 0; i < 100; i++) {
            assertThat(coverage.epoch(id(i + 1))).isLessThanOrEqualTo(1 + i);
        }
        assertThat(coverage.epoch("zzz")).isZero();
    }

    @Test
    void shouldOrderIdsAsStoresDo() {
        // UTF-16 orders these the other way round
        assertThat(Coverage.ID_ORDER.compare("\uFF5E", "\uD83D\uDE00")).isNegative();
        assertThat(Coverage.all(0).with(null, "\uFF5E", 1).epoch("\uD83D\uDE00"))
                .isZero();
    }

    @Test
    void shouldRefuseRangesThatDoNotReachTheEnd() {
        assertThatThrownBy(() -> Coverage.of(List.of(new Range("b", 1), new Range("a", 2), new Range(null, 0))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Coverage.of(List.of(new Range("b", 1)))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Coverage.of(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    private static String id(int number) {
        return "image-%02d".formatted(number);
    }
}
