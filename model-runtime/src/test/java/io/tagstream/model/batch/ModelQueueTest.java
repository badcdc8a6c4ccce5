/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.Priority;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ModelQueueTest {
    private static final Duration FOR_EVER = Duration.ofHours(1);
    /** How many images are on their way. */
    private static final int MANY = 1_000;

    @Test
    void shouldGiveAFullBatchWithoutWaiting() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(3, FOR_EVER, () -> MANY);
        for (int i = 0; i < 7; i++) {
            assertThat(queue.add(i, Priority.FRESH)).isTrue();
        }
        assertThat(queue.take().batch()).containsExactly(0, 1, 2);
        assertThat(queue.take().batch()).containsExactly(3, 4, 5);
    }

    @Test
    void shouldSayWhetherAWholeBatchOfFreshImagesWaits() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(2, FOR_EVER, () -> MANY);
        queue.add(1, Priority.FRESH);
        queue.add(2, Priority.BACKGROUND);
        assertThat(queue.holdsBatch()).isFalse();
        queue.add(3, Priority.FRESH);
        assertThat(queue.holdsBatch()).isTrue();
        queue.take();
        assertThat(queue.holdsBatch()).isFalse();
    }

    @Test
    void shouldWaitUntilABatchIsFull() {
        ModelQueue<Integer, String> queue = new ModelQueue<>(2, FOR_EVER, () -> MANY);
        CompletableFuture<List<Integer>> taken = take(queue);
        queue.add(1, Priority.FRESH);
        assertThat(taken).isNotDone();
        queue.add(2, Priority.FRESH);
        assertThat(taken.join()).containsExactly(1, 2);
    }

    @Test
    void shouldGiveAPartialBatchOnceItsOldestItemHasWaited() throws Exception {
        Duration wait = Duration.ofMillis(100);
        ModelQueue<Integer, String> queue = new ModelQueue<>(100, wait, () -> MANY);
        long start = System.nanoTime();
        queue.add(1, Priority.FRESH);
        queue.add(2, Priority.FRESH);
        assertThat(queue.take().batch()).containsExactly(1, 2);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(wait.toNanos());
    }

    @Test
    void shouldGiveAPartialBatchOnceNothingElseIsOnItsWay() {
        AtomicInteger inFlight = new AtomicInteger(3);
        ModelQueue<Integer, String> queue = new ModelQueue<>(100, FOR_EVER, inFlight::get);
        CompletableFuture<List<Integer>> taken = take(queue);
        queue.add(1, Priority.FRESH);
        queue.add(2, Priority.FRESH);
        assertThat(taken).isNotDone();
        queue.add(3, Priority.FRESH);
        assertThat(taken.join()).containsExactly(1, 2, 3);
    }

    @Test
    void shouldNotWaitAtAllWhenToldSo() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(100, Duration.ZERO, () -> MANY);
        queue.add(1, Priority.FRESH);
        assertThat(queue.take().batch()).containsExactly(1);
    }

    @Test
    void shouldEndWaitingWhenClosed() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(2, FOR_EVER, () -> MANY);
        CompletableFuture<List<Integer>> taken = take(queue);
        queue.add(1, Priority.FRESH);
        queue.close();
        assertThat(taken.get(10, TimeUnit.SECONDS)).isEmpty();
        assertThat(queue.add(2, Priority.FRESH)).isFalse();
        assertThat(queue.isClosed()).isTrue();
    }

    @Test
    void shouldTakeBackgroundWorkOnlyWhenNothingFreshIsReady() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(1, FOR_EVER, () -> MANY);
        queue.addJob("background", Priority.BACKGROUND);
        queue.add(1, Priority.FRESH);
        queue.addJob("fresh", Priority.FRESH);
        queue.add(2, Priority.FRESH);
        assertThat(queue.take().job()).containsExactly("fresh");
        assertThat(queue.take().batch()).containsExactly(1);
        assertThat(queue.take().batch()).containsExactly(2);
        assertThat(queue.take().job()).containsExactly("background");
    }

    @Test
    void shouldNotHoldUpBackgroundWorkForABatchThatIsNotFull() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(2, FOR_EVER, () -> MANY);
        queue.add(1, Priority.FRESH);
        queue.addJob("background", Priority.BACKGROUND);
        assertThat(queue.take().job()).containsExactly("background");
    }

    @Test
    void shouldGiveBackgroundWorkASmallShareWhereFreshImagesNeverEnd() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(1, FOR_EVER, () -> MANY);
        queue.addJob("first", Priority.BACKGROUND);
        queue.addJob("second", Priority.BACKGROUND);
        List<String> turns = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            queue.add(i, Priority.FRESH);
            ModelQueue.Turn<Integer, String> turn = queue.take();
            turns.add(turn.job().isEmpty() ? "fresh" : turn.job().get(0));
        }
        assertThat(turns.indexOf("first")).isEqualTo(10);
        assertThat(turns.indexOf("second")).isEqualTo(21);
        assertThat(turns).filteredOn("fresh"::equals).hasSize(28);
    }

    @Test
    void shouldTakeBackgroundImagesAndJobsByTurnsAndFewImagesAtATime() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(8, FOR_EVER, () -> MANY);
        for (int i = 0; i < 5; i++) {
            queue.add(i, Priority.BACKGROUND);
        }
        queue.addJob("first", Priority.BACKGROUND);
        queue.addJob("second", Priority.BACKGROUND);
        assertThat(queue.take().job()).containsExactly("first");
        assertThat(queue.take().batch()).containsExactly(0, 1);
        assertThat(queue.take().job()).containsExactly("second");
        assertThat(queue.take().batch()).containsExactly(2, 3);
        assertThat(queue.take().batch()).containsExactly(4);
    }

    @Test
    void shouldGoOnWithAJobBeforeTheNextOne() throws Exception {
        ModelQueue<Integer, String> queue = new ModelQueue<>(8, FOR_EVER, () -> MANY);
        queue.addJob("long", Priority.BACKGROUND);
        queue.addJob("next", Priority.BACKGROUND);
        queue.addJob("cancelled", Priority.BACKGROUND);
        assertThat(queue.take().job()).containsExactly("long");
        queue.putBack("long", Priority.BACKGROUND);
        queue.removeJob("cancelled", Priority.BACKGROUND);
        assertThat(queue.take().job()).containsExactly("long");
        assertThat(queue.take().job()).containsExactly("next");
        CompletableFuture<List<Integer>> taken = take(queue);
        assertThat(taken).isNotDone();
        queue.close();
        assertThat(taken.get(10, TimeUnit.SECONDS)).isEmpty();
        assertThat(queue.addJob("late", Priority.FRESH)).isFalse();
    }

    private static CompletableFuture<List<Integer>> take(ModelQueue<Integer, String> queue) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return queue.take().batch();
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
    }
}
