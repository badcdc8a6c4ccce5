/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageScores;
import io.tagstream.model.batch.FakeStages.NumberedLabels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Attempts, and the waits between them, by a clock that the tests move. */
@Timeout(60)
class RetryTest {
    private static final Duration BACKOFF = Duration.ofSeconds(1);
    private static final Duration DEADLINE = Duration.ofSeconds(100);

    private final FakeStages stages = new FakeStages();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final ManualAlarms alarms = new ManualAlarms();
    private final ScoringPipeline pipeline = new ScoringPipeline(
            stages,
            PipelineOptions.builder()
                    .maxAccepted(5_000)
                    .maxInFlight(8)
                    .fetchThreads(8)
                    .decodeThreads(2)
                    .batchSize(1)
                    .batchWait(Duration.ZERO)
                    .cachedImages(0)
                    .retry(new RetryOptions(3, BACKOFF, Duration.ofSeconds(30), DEADLINE))
                    .build(),
            registry,
            alarms,
            new Random(7));

    @AfterEach
    void close() {
        pipeline.close();
        stages.close();
    }

    @Test
    void shouldTryAgainWhatMayPass() throws Exception {
        fails("1", overloaded(), failure(FailureReason.MODEL_ERROR));
        CompletableFuture<ImageScores<NumberedLabels>> future = submit("1");
        await(() -> alarms.scheduled() == 1);
        assertThat(retries()).isEqualTo(1);
        alarms.advance(BACKOFF);
        await(() -> alarms.scheduled() == 3); // including the deadline of its second wait
        assertThat(retries()).isEqualTo(2);
        assertThat(future).isNotDone();
        alarms.advance(BACKOFF.multipliedBy(2));
        assertThat(future.get(30, TimeUnit.SECONDS).scores()).containsExactly(1);
        assertThat(stages.attempts).containsExactly("1", "1", "1");
        assertThat(alarms.size()).as("alarms left behind").isZero();
    }

    @Test
    void shouldFailWithTheLastCauseAndTheNumberOfAttempts() {
        fails(
                "1",
                overloaded(),
                failure(FailureReason.MODEL_ERROR),
                new ImageException(FailureReason.FETCH_FAILED, "the last"));
        CompletableFuture<?> future = submit("1");
        await(() -> alarms.scheduled() == 1);
        alarms.advance(BACKOFF);
        await(() -> alarms.scheduled() == 3);
        alarms.advance(BACKOFF.multipliedBy(2));
        assertFails(future, FailureReason.FETCH_FAILED, 3, "the last (attempt 3)");
        assertThat(failures()).isEqualTo(1);
        assertThat(pipeline.accepted()).isZero();
    }

    @Test
    void shouldNotTryAgainWhatWillNotPass() {
        fails("1", failure(FailureReason.FETCH_NOT_FOUND));
        assertFails(submit("1"), FailureReason.FETCH_NOT_FOUND, 1, "of the test");
        assertThat(stages.attempts).containsExactly("1");
    }

    @Test
    void shouldTryAgainWhatFailedInTheModel() throws Exception {
        stages.encodeFailure = new IllegalStateException("out of memory, say");
        CompletableFuture<ImageScores<NumberedLabels>> future = submit("1");
        await(() -> alarms.size() == 1);
        stages.encodeFailure = null;
        alarms.advance(BACKOFF);
        assertThat(future.get(30, TimeUnit.SECONDS).scores()).containsExactly(1);
        assertThat(stages.attempts).containsExactly("1", "1");
    }

    @Test
    void shouldWaitForAsLongAsTheSourceAsks() throws Exception {
        fails("a/1", overloaded(Duration.ofSeconds(20)));
        CompletableFuture<ImageScores<NumberedLabels>> future = submit("a/1");
        await(() -> alarms.scheduled() == 2); // one of the image and one of its source
        CompletableFuture<ImageScores<NumberedLabels>> neighbour = submit("a/2");
        CompletableFuture<ImageScores<NumberedLabels>> elsewhere = submit("b/3");
        assertThat(elsewhere.get(30, TimeUnit.SECONDS).scores()).containsExactly(3);
        alarms.advance(Duration.ofSeconds(19));
        assertThat(stages.attempts).containsExactly("a/1", "b/3");
        alarms.advance(Duration.ofSeconds(1));
        assertThat(future.get(30, TimeUnit.SECONDS).scores()).containsExactly(1);
        assertThat(neighbour.get(30, TimeUnit.SECONDS).scores()).containsExactly(2);
    }

    @Test
    void shouldFailAtOnceWhenTheSourceAsksForMoreThanTheDeadlineLeaves() {
        fails("1", overloaded(DEADLINE));
        assertFails(submit("1"), FailureReason.FETCH_TIMEOUT, 1, "of the test");
    }

    @Test
    void shouldFailAtItsDeadlineWhileItWaitsForItsSource() {
        fails("a/1", overloaded());
        CompletableFuture<?> future = submit("a/1");
        await(() -> alarms.scheduled() == 1);
        // other images use all fetches that the source still gets at a time, and hang
        stages.sourceGates.put("a", new Semaphore(0));
        List<CompletableFuture<?>> others = new ArrayList<>();
        for (int i = 2; i < 10; i++) {
            others.add(submit("a/" + i));
        }
        await(() -> stages.attempts.size() == 4);
        alarms.advance(DEADLINE);
        assertFails(future, FailureReason.FETCH_TIMEOUT, 1, "of the test");
        assertThat(stages.attempts).hasSize(4);
        assertThat(others).noneMatch(CompletableFuture::isDone);
    }

    @Test
    void shouldHoldNothingThatOthersNeedWhileItWaits() throws Exception {
        // many more than the images in flight (8) and the fetch threads
        List<CompletableFuture<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            fails("a/" + i, overloaded(), overloaded(), overloaded());
            waiting.add(submit("a/" + i));
        }
        await(() -> retries() == 1_000);
        for (int i = 0; i < 100; i++) {
            assertThat(submit("b/" + i).get(30, TimeUnit.SECONDS).scores()).containsExactly(i);
        }
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        assertThat(pipeline.accepted()).isEqualTo(1_000);
    }

    @Test
    void shouldNotHoldUpOtherSourcesByOneThatHangs() throws Exception {
        stages.sourceGates.put("hangs", new Semaphore(0));
        List<CompletableFuture<?>> hanging = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            hanging.add(submit("hangs/" + i));
        }
        for (int i = 0; i < 100; i++) {
            assertThat(submit("b/" + i).get(30, TimeUnit.SECONDS).scores()).containsExactly(i);
        }
        assertThat(hanging).noneMatch(CompletableFuture::isDone);
        stages.sourceGates.get("hangs").release(10_000);
        for (CompletableFuture<?> future : hanging) {
            future.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldGiveUpWithoutAnAttemptWhatASourceThatIsDownNeverServes() {
        stages.sourceGates.put("down", new Semaphore(0));
        List<CompletableFuture<?>> futures = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            fails("down/" + i, overloaded());
            futures.add(submit("down/" + i));
        }
        await(() -> stages.attempts.size() == 6); // of 8 at a time
        alarms.advance(DEADLINE);
        stages.sourceGates.get("down").release(1_000);
        for (CompletableFuture<?> future : futures) {
            assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS)).hasMessageContaining("ImageException");
        }
        assertThat(stages.attempts).hasSize(6);
        assertFails(futures.get(49), FailureReason.FETCH_TIMEOUT, 0, "down has served no image for 100 s");
    }

    @Test
    void shouldFreeAWaitingImageAtOnceWhenItIsCancelled() {
        fails("1", overloaded());
        CompletableFuture<?> future = submit("1");
        await(() -> alarms.size() == 1);
        future.cancel(false);
        assertThat(alarms.size()).isZero();
        assertThat(pipeline.accepted()).isZero();
    }

    @Test
    void shouldCancelWhatWaitsWhenClosed() {
        List<CompletableFuture<?>> futures = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            fails(String.valueOf(i), overloaded());
            futures.add(submit(String.valueOf(i)));
        }
        await(() -> alarms.size() == 20);
        pipeline.close();
        assertThat(futures).allMatch(CompletableFuture::isCancelled);
        assertThat(pipeline.accepted()).isZero();
    }

    private int retries() {
        return count("tagstream.runtime.retries");
    }

    private int failures() {
        return count("tagstream.runtime.failures");
    }

    private int count(String metric) {
        return (int) registry.get(metric).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private void fails(String content, ImageException... failures) {
        ConcurrentLinkedQueue<ImageException> toCome = new ConcurrentLinkedQueue<>();
        Collections.addAll(toCome, failures);
        stages.failures.put(content, toCome);
    }

    private static ImageException failure(FailureReason reason) {
        return new ImageException(reason, "of the test");
    }

    private static ImageException overloaded() {
        return ImageException.overloaded(FailureReason.FETCH_TIMEOUT, "of the test", Optional.empty(), null);
    }

    private static ImageException overloaded(Duration retryAfter) {
        return ImageException.overloaded(FailureReason.FETCH_TIMEOUT, "of the test", Optional.of(retryAfter), null);
    }

    private CompletableFuture<ImageScores<NumberedLabels>> submit(String content) {
        return pipeline.trySubmit(FakeStages.image(content), () -> new NumberedLabels(0))
                .orElseThrow();
    }

    private static void assertFails(CompletableFuture<?> future, FailureReason reason, int attempts, String message) {
        assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(ImageException.class, failure -> {
                    assertThat(failure.reason()).isEqualTo(reason);
                    assertThat(failure.attempts()).isEqualTo(attempts);
                })
                .hasMessageContaining(message);
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("condition not met in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
