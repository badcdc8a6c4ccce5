/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BatcherTest {
    private static final Duration FOR_EVER = Duration.ofHours(1);

    @Test
    void shouldGiveAFullBatchWithoutWaiting() throws Exception {
        Batcher<Integer> batcher = new Batcher<>(3, FOR_EVER);
        for (int i = 0; i < 7; i++) {
            assertThat(batcher.add(i)).isTrue();
        }
        assertThat(batcher.take()).containsExactly(0, 1, 2);
        assertThat(batcher.take()).containsExactly(3, 4, 5);
    }

    @Test
    void shouldWaitUntilABatchIsFull() {
        Batcher<Integer> batcher = new Batcher<>(2, FOR_EVER);
        CompletableFuture<List<Integer>> taken = take(batcher);
        batcher.add(1);
        assertThat(taken).isNotDone();
        batcher.add(2);
        assertThat(taken.join()).containsExactly(1, 2);
    }

    @Test
    void shouldGiveAPartialBatchOnceItsOldestItemHasWaited() throws Exception {
        Duration wait = Duration.ofMillis(100);
        Batcher<Integer> batcher = new Batcher<>(100, wait);
        long start = System.nanoTime();
        batcher.add(1);
        batcher.add(2);
        assertThat(batcher.take()).containsExactly(1, 2);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(wait.toNanos());
    }

    @Test
    void shouldNotWaitAtAllWhenToldSo() throws Exception {
        Batcher<Integer> batcher = new Batcher<>(100, Duration.ZERO);
        batcher.add(1);
        assertThat(batcher.take()).containsExactly(1);
    }

    @Test
    void shouldEndWaitingWhenClosed() throws Exception {
        Batcher<Integer> batcher = new Batcher<>(2, FOR_EVER);
        CompletableFuture<List<Integer>> taken = take(batcher);
        batcher.add(1);
        batcher.close();
        assertThat(taken.get(10, TimeUnit.SECONDS)).isEmpty();
        assertThat(batcher.add(2)).isFalse();
        assertThat(batcher.isClosed()).isTrue();
    }

    private static CompletableFuture<List<Integer>> take(Batcher<Integer> batcher) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return batcher.take();
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
    }
}
