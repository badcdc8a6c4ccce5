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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ScoringPipelineTest {
    private static final Duration SHORT = Duration.ofMillis(5);
    private static final Duration FOR_EVER = Duration.ofHours(1);

    private final FakeStages stages = new FakeStages();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private ScoringPipeline pipeline;

    @AfterEach
    void close() {
        pipeline.close();
        stages.close();
    }

    @Test
    void shouldGiveEveryImageItsOwnScoresWhateverOvertakesWhat() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100_000, 16, 4, 8, SHORT), registry);
        stages.maxDelayMicros = 2000;
        List<CompletableFuture<ImageScores<NumberedLabels>>> futures = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            NumberedLabels labels = new NumberedLabels(i % 3 * 10_000);
            futures.add(submit(i, () -> labels));
        }
        for (int i = 0; i < futures.size(); i++) {
            ImageScores<NumberedLabels> scores = futures.get(i).get();
            assertThat(scores.labels().number()).isEqualTo(i % 3 * 10_000);
            assertThat(scores.scores()).containsExactly(i + i % 3 * 10_000);
            assertThat(scores.width()).isEqualTo(i);
        }
        assertThat(registry.get("tagstream.runtime.scored").counter().count()).isEqualTo(2000);
        assertThat(registry.get("tagstream.runtime.batch.size").summary().totalAmount())
                .isEqualTo(2000);
        assertThat(pipeline.accepted()).isZero();
    }

    @Test
    void shouldAskTheSupplierOnceABatch() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100, 4, 2, 4, FOR_EVER), registry);
        AtomicInteger asked = new AtomicInteger();
        Supplier<NumberedLabels> supplier = () -> new NumberedLabels(asked.incrementAndGet());
        List<CompletableFuture<ImageScores<NumberedLabels>>> futures = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            futures.add(submit(i, supplier));
        }
        NumberedLabels labels = futures.get(0).get().labels();
        for (CompletableFuture<ImageScores<NumberedLabels>> future : futures) {
            assertThat(future.get().labels()).isSameAs(labels);
        }
        assertThat(asked).hasValue(1);
        assertThat(stages.batchSizes).containsExactly(4);
    }

    @Test
    void shouldRunAPartialBatchAfterAWhile() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100, 4, 2, 50, SHORT), registry);
        assertThat(submit(7, ScoringPipelineTest::zero).get().scores()).containsExactly(7);
        assertThat(stages.batchSizes).containsExactly(1);
    }

    @Test
    void shouldTurnAwayWhatThereIsNoRoomFor() throws Exception {
        pipeline = new ScoringPipeline(stages, options(3, 2, 2, 8, SHORT), registry);
        stages.fetchGate.drainPermits();
        List<CompletableFuture<ImageScores<NumberedLabels>>> futures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            futures.add(submit(i, ScoringPipelineTest::zero));
        }
        assertThat(pipeline.trySubmit(FakeStages.image(3), ScoringPipelineTest::zero))
                .isEmpty();
        // room is free before the future completes: a callback may submit again at once
        CompletableFuture<Boolean> resubmitted = futures.get(0)
                .thenApply(scores -> pipeline.trySubmit(FakeStages.image(4), ScoringPipelineTest::zero)
                        .isPresent());
        stages.fetchGate.release(1000);
        assertThat(resubmitted.get()).isTrue();
        for (CompletableFuture<ImageScores<NumberedLabels>> future : futures) {
            assertThat(future.get().scores()).hasSize(1);
        }
        await(() -> pipeline.accepted() == 0);
    }

    @Test
    void shouldFailOneImageAndNotItsNeighbours() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100, 4, 2, 8, SHORT), registry);
        CompletableFuture<ImageScores<NumberedLabels>> good = submit(1, ScoringPipelineTest::zero);
        assertFails(
                submit(FakeStages.UNREADABLE, ScoringPipelineTest::zero), FailureReason.CORRUPT_IMAGE, "unreadable");
        assertFails(
                submit(FakeStages.BREAKS_FETCHING, ScoringPipelineTest::zero),
                FailureReason.MODEL_ERROR,
                "a bug in fetching");
        assertFails(
                submit(FakeStages.BREAKS_DECODING, ScoringPipelineTest::zero),
                FailureReason.MODEL_ERROR,
                "OutOfMemoryError");
        assertThat(good.get().scores()).containsExactly(1);
        assertThat(submit(2, ScoringPipelineTest::zero).get().scores()).containsExactly(2);
        assertThat(registry.get("tagstream.runtime.failures").counters())
                .extracting(Counter::count)
                .contains(2.0, 1.0);
        assertThat(pipeline.accepted()).isZero();
    }

    @Test
    void shouldTurnInferenceFailuresIntoFailedImagesAndGoOn() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100, 4, 2, 8, SHORT), registry);
        stages.encodeFailure = new Exception("the model broke");
        assertFails(submit(1, ScoringPipelineTest::zero), FailureReason.MODEL_ERROR, "the model broke");
        stages.encodeFailure = new OutOfMemoryError("of the test");
        assertFails(submit(2, ScoringPipelineTest::zero), FailureReason.MODEL_ERROR, "OutOfMemoryError");
        stages.encodeFailure = null;
        assertFails(
                submit(3, () -> {
                    throw new IllegalStateException("no labels");
                }),
                FailureReason.MODEL_ERROR,
                "no labels");
        stages.scoreToAdd = Float.NaN;
        assertFails(submit(4, ScoringPipelineTest::zero), FailureReason.MODEL_ERROR, "NaN");
        stages.scoreToAdd = 0;
        assertThat(submit(5, ScoringPipelineTest::zero).get().scores()).containsExactly(5);
    }

    @Test
    void shouldFreeAWaitingImageAtOnceWhenItIsCancelled() {
        pipeline = new ScoringPipeline(stages, options(2, 1, 1, 8, SHORT), registry);
        stages.fetchGate.drainPermits();
        CompletableFuture<?> inStage = submit(1, ScoringPipelineTest::zero);
        CompletableFuture<?> waiting = submit(2, ScoringPipelineTest::zero);
        for (int i = 0; i < 1000; i++) {
            waiting.cancel(false);
            waiting = submit(2, ScoringPipelineTest::zero);
        }
        assertThat(pipeline.accepted()).isEqualTo(2);
        inStage.cancel(false);
        waiting.cancel(false);
        stages.fetchGate.release();
        await(() -> pipeline.accepted() == 0);
        assertThat(stages.batchSizes).isEmpty();
    }

    @Test
    void shouldNotScoreWhatWasCancelledWhileItWaitedForItsBatch() throws Exception {
        pipeline = new ScoringPipeline(stages, options(100, 2, 2, 8, SHORT), registry);
        stages.encodeGate.drainPermits();
        CompletableFuture<ImageScores<NumberedLabels>> inModel = submit(1, ScoringPipelineTest::zero);
        await(() -> !stages.batchSizes.isEmpty());
        CompletableFuture<ImageScores<NumberedLabels>> kept = submit(2, ScoringPipelineTest::zero);
        CompletableFuture<?> cancelled = submit(3, ScoringPipelineTest::zero);
        await(() -> stages.decoded.get() == 3);
        cancelled.cancel(false);
        stages.encodeGate.release(1000);
        assertThat(inModel.get().scores()).containsExactly(1);
        assertThat(kept.get().scores()).containsExactly(2);
        assertThat(cancelled).isCancelled();
        assertThat(stages.batchSizes).containsExactly(1, 1);
    }

    @Test
    void shouldCancelWhatIsInFlightWhenClosed() {
        pipeline = new ScoringPipeline(stages, options(1000, 4, 2, 4, SHORT), registry);
        stages.encodeGate.drainPermits();
        List<CompletableFuture<?>> futures = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            futures.add(submit(i, ScoringPipelineTest::zero));
        }
        await(() -> !stages.batchSizes.isEmpty());
        CompletableFuture<Void> closing = CompletableFuture.runAsync(pipeline::close);
        await(() -> futures.stream().allMatch(CompletableFuture::isDone));
        assertThat(futures).allMatch(CompletableFuture::isCancelled);
        // the batch in the model is not interrupted
        assertThat(closing).isNotDone();
        stages.encodeGate.release();
        closing.join();
        assertThat(pipeline.accepted()).isZero();
    }

    @Test
    void shouldCancelAtOnceWhatComesAfterClosing() {
        pipeline = new ScoringPipeline(stages, options(10, 4, 2, 4, SHORT), registry);
        pipeline.close();
        assertThat(submit(1, ScoringPipelineTest::zero)).isCancelled();
        assertThat(pipeline.accepted()).isZero();
    }

    /** Without retries. */
    private static PipelineOptions options(
            int maxAccepted, int fetchThreads, int decodeThreads, int batchSize, Duration batchWait) {
        RetryOptions once = new RetryOptions(1, Duration.ZERO, Duration.ZERO, FOR_EVER);
        return PipelineOptions.builder()
                .maxAccepted(maxAccepted)
                .maxInFlight(1000)
                .fetchThreads(fetchThreads)
                .decodeThreads(decodeThreads)
                .batchSize(batchSize)
                .batchWait(batchWait)
                .cachedImages(0)
                .retry(once)
                .build();
    }

    private static NumberedLabels zero() {
        return new NumberedLabels(0);
    }

    private CompletableFuture<ImageScores<NumberedLabels>> submit(Object content, Supplier<NumberedLabels> labels) {
        Optional<CompletableFuture<ImageScores<NumberedLabels>>> submitted =
                pipeline.trySubmit(FakeStages.image(content), labels);
        assertThat(submitted).isPresent();
        return submitted.get();
    }

    private static void assertFails(CompletableFuture<?> future, FailureReason reason, String inMessage) {
        assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageContaining(inMessage);
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("condition not met in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
