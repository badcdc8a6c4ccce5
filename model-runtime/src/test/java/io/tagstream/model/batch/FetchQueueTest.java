/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.Priority;
import io.tagstream.model.batch.FakeStages.NumberedLabels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FetchQueueTest {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final FetchQueue queue = new FetchQueue(16, 100, 100, DEADLINE);

    @Test
    void shouldGiveEveryLineItsTurn() {
        for (int i = 0; i < 5; i++) {
            add("lane-1", "a", 0);
        }
        add("lane-2", "a", 0);
        add("lane-1", "b", 0);
        assertThat(poll(4)).containsExactly("lane-1 a", "lane-2 a", "lane-1 b", "lane-1 a");
    }

    @Test
    void shouldKeepTheOrderWithinALine() {
        List<ImageJob<?>> added = List.of(add("lane", "a", 0), add("lane", "a", 0), add("lane", "a", 0));
        for (ImageJob<?> next : added) {
            assertThat(queue.poll(0)).containsSame(next);
        }
    }

    @Test
    void shouldLeaveFetchesToOtherSourcesHoweverManyImagesOneHas() {
        for (int i = 0; i < 1_000; i++) {
            add("lane", "hangs", 0);
        }
        assertThat(poll(1_000)).hasSize(12);
        add("lane", "healthy", 0);
        assertThat(poll(1_000)).containsExactly("lane healthy");
        // the same with a second source that hangs
        for (int i = 0; i < 1_000; i++) {
            add("lane", "hangs as well", 0);
        }
        assertThat(poll(1_000)).hasSize(2);
        add("lane", "healthy too", 0);
        assertThat(poll(1_000)).containsExactly("lane healthy too");
    }

    @Test
    void shouldFetchEvenWhereOneThreadDoesItAll() {
        FetchQueue single = new FetchQueue(1, 1, 1, DEADLINE);
        single.add(job("lane", "a", 0), 0);
        assertThat(single.poll(0)).isPresent();
    }

    @Test
    void shouldAskAnOverloadedSourceForLessUntilItKeepsUpAgain() {
        for (int i = 0; i < 1_000; i++) {
            add("lane", "a", 0);
        }
        List<ImageJob<?>> underWay = take(1_000, 0);
        assertThat(underWay).hasSize(12);
        underWay.forEach(job -> overloaded(job, 0, 5));
        assertThat(queue.limitedSources()).isEqualTo(1);
        underWay = take(1_000, 6);
        assertThat(underWay).as("half of 12").hasSize(6);
        underWay.forEach(job -> overloaded(job, 6, 7));
        underWay = take(1_000, 8);
        assertThat(underWay).hasSize(3);
        for (int i = 0; i < 500 && queue.waiting() > 0; i++) {
            queue.answered(underWay.get(0), 9);
            queue.landed(underWay.remove(0));
            underWay.addAll(take(1_000, 9));
        }
        assertThat(underWay).hasSize(12);
        assertThat(queue.limitedSources()).isZero();
    }

    @Test
    void shouldLeaveASourceAloneForAsLongAsItWants() {
        add("lane", "a", 0);
        add("lane", "a", 0);
        ImageJob<?> refused = take(1, 0).get(0);
        queue.overloaded(refused, 0, 0, Duration.ofSeconds(10));
        queue.resume("a");
        assertThat(queue.poll(9 * SECOND)).isEmpty();
        queue.resume("a");
        assertThat(queue.poll(10 * SECOND)).isPresent();
    }

    @Test
    void shouldLetThoseComeFirstThatHaveWaitedForAnotherAttempt() {
        add("lane", "a", 0);
        ImageJob<?> again = take(1, 0).get(0);
        again.begin(0);
        queue.answered(again, 1);
        queue.landed(again);
        add("lane", "a", 2);
        queue.add(again, 3);
        assertThat(queue.poll(4)).containsSame(again);
    }

    @Test
    void shouldBoundWhatIsInAllStages() {
        FetchQueue small = new FetchQueue(16, 3, 3, DEADLINE);
        List<ImageJob<?>> underWay = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            small.add(job("lane", "source-" + i, 0), 0);
        }
        for (Optional<ImageJob<?>> next = small.poll(0); next.isPresent(); next = small.poll(0)) {
            underWay.add(next.get());
        }
        assertThat(underWay).hasSize(3);
        small.answered(underWay.get(0), 1);
        assertThat(small.poll(1)).as("fetched, but in a later stage").isEmpty();
        small.landed(underWay.get(0));
        small.landed(underWay.get(0));
        assertThat(small.poll(1)).isPresent();
        assertThat(small.poll(1)).as("landed once, whoever says so twice").isEmpty();
        assertThat(small.inFlight()).isEqualTo(3);
        assertThat(small.waiting()).isEqualTo(1);
    }

    @Test
    void shouldNotFetchFarAheadOfTheModel() {
        FetchQueue ahead = new FetchQueue(16, 100, 2, DEADLINE);
        for (int i = 0; i < 10; i++) {
            ahead.add(job("lane", "source-" + i, 0), 0);
        }
        ImageJob<?> first = ahead.poll(0).orElseThrow();
        ImageJob<?> second = ahead.poll(0).orElseThrow();
        ahead.answered(first, 1);
        assertThat(ahead.poll(1)).isPresent();
        ahead.answered(second, 2);
        assertThat(ahead.poll(2)).as("two wait for the model").isEmpty();
        ahead.landed(first);
        assertThat(ahead.poll(3)).isPresent();
    }

    @Test
    void shouldGiveUpWhatWaitsForASourceThatServesNobody() {
        ImageJob<?> asks = add("lane", "down", 0);
        ImageJob<?> old = add("lane", "down", 0);
        ImageJob<?> late = add("other lane", "down", 60 * SECOND);
        ImageJob<?> elsewhere = add("lane", "up", 0);
        assertThat(queue.poll(0)).containsSame(asks);

        assertThat(overloaded(asks, 0, 120 * SECOND)).isEqualTo(List.of(old));
        assertThat(queue.waiting()).isEqualTo(2);
        assertThat(take(10, 120 * SECOND)).containsExactlyInAnyOrder(elsewhere, late);
        ImageException failure = queue.unserved(old);
        assertThat(failure.attempts()).isZero();
        assertThat(failure).hasMessageContaining("down has served no image for 120 s");
    }

    @Test
    void shouldNotGiveUpWhatWaitsForASourceThatIsSlow() {
        ImageJob<?> first = add("lane", "slow", 0);
        ImageJob<?> second = add("lane", "slow", 0);
        add("lane", "slow", 0);
        assertThat(take(2, 0)).containsExactly(first, second);
        queue.answered(first, 100 * SECOND);
        assertThat(overloaded(second, 0, 130 * SECOND)).isEmpty();
        assertThat(queue.waiting()).isEqualTo(1);
    }

    @Test
    void shouldFetchBackgroundImagesOnlyWhenNoFreshOneCanBe() {
        ImageJob<?> background = background("other lane", "a");
        ImageJob<?> fresh = add("lane", "a", 0);
        ImageJob<?> second = add("lane", "a", 0);
        assertThat(take(10, 0)).containsExactly(fresh, second, background);
    }

    @Test
    void shouldFetchBackgroundImagesOfOtherSourcesThanThatOfWaitingFreshOnes() {
        add("lane", "a", 0);
        queue.overloaded(take(1, 0).get(0), 0, 0, Duration.ofSeconds(10));
        ImageJob<?> fresh = add("lane", "a", 0);
        ImageJob<?> background = background("lane", "b");
        ImageJob<?> held = background("lane", "a");
        assertThat(take(10, 0)).containsExactly(background);
        queue.resume("a");
        assertThat(take(10, 10 * SECOND)).containsExactly(fresh, held);
        assertThat(queue.waiting()).isZero();
    }

    @Test
    void shouldLeaveTheModelsQueueToFreshImages() {
        FetchQueue ahead = new FetchQueue(16, 100, 8, DEADLINE);
        for (int i = 0; i < 10; i++) {
            ahead.add(job("lane", "source-" + i, 0, Priority.BACKGROUND), 0);
        }
        ImageJob<?> first = ahead.poll(0).orElseThrow();
        ImageJob<?> second = ahead.poll(0).orElseThrow();
        ahead.answered(first, 1);
        assertThat(ahead.poll(1)).isPresent();
        ahead.answered(second, 1);
        assertThat(ahead.poll(1)).as("a quarter of 8 waits for the model").isEmpty();
        ImageJob<?> fresh = job("lane", "b", 0);
        ahead.add(fresh, 1);
        assertThat(ahead.poll(1)).containsSame(fresh);
        ahead.landed(first);
        assertThat(ahead.poll(2)).isPresent();
    }

    @Test
    void shouldTakeOutWhatIsCancelled() {
        ImageJob<?> kept = add("lane", "a", 0);
        ImageJob<?> cancelled = add("lane", "a", 0);
        assertThat(queue.remove(cancelled)).isTrue();
        assertThat(queue.remove(cancelled)).isFalse();
        assertThat(take(10, 0)).containsExactly(kept);
        cancelled.endIfWaiting();
        assertThat(queue.add(cancelled, 0)).isFalse();
        assertThat(queue.waiting()).isZero();
    }

    private ImageJob<?> add(Object lane, String source, long now) {
        ImageJob<?> job = job(lane, source, now);
        assertThat(queue.add(job, now)).isTrue();
        return job;
    }

    private ImageJob<?> background(Object lane, String source) {
        ImageJob<?> job = job(lane, source, 0, Priority.BACKGROUND);
        assertThat(queue.add(job, 0)).isTrue();
        return job;
    }

    private static ImageJob<?> job(Object lane, String source, long now) {
        return job(lane, source, now, Priority.FRESH);
    }

    private static ImageJob<?> job(Object lane, String source, long now, Priority priority) {
        ImageRequest fresh = new ImageRequest("data:,0", Optional.empty(), lane, "an image");
        ImageRequest request = priority == Priority.FRESH ? fresh : fresh.inBackground();
        return new ImageJob<>(request, () -> new NumberedLabels(0), source, now, job -> {});
    }

    private List<String> poll(int most) {
        return take(most, 0).stream()
                .map(job -> job.request.lane() + " " + job.source)
                .toList();
    }

    private List<ImageJob<?>> take(int most, long now) {
        List<ImageJob<?>> taken = new ArrayList<>();
        while (taken.size() < most) {
            Optional<ImageJob<?>> next = queue.poll(now);
            if (next.isEmpty()) {
                break;
            }
            taken.add(next.get());
        }
        return taken;
    }

    private List<ImageJob<?>> overloaded(ImageJob<?> job, long begunAt, long now) {
        List<ImageJob<?>> givenUp = queue.overloaded(job, begunAt, now, Duration.ZERO);
        queue.landed(job);
        return givenUp;
    }
}
