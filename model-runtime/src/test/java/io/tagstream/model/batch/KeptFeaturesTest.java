/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.KnownImage;
import io.tagstream.model.Priority;
import io.tagstream.model.batch.FakeStages.NumberedLabels;
import io.tagstream.model.bundle.Sha256;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Images whose features are known are scored again without being read, or read without being encoded. */
@Timeout(60)
class KeptFeaturesTest {
    private static final int ROOM = 2048;
    private static final NumberedLabels HUNDRED = new NumberedLabels(100);

    private final FakeStages stages = new FakeStages();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private ScoringPipeline pipeline = pipeline(0, 1);

    @AfterEach
    void close() {
        pipeline.close();
        stages.close();
    }

    @Test
    void shouldScoreAGroupInPartsAndInItsOrder() throws Exception {
        float[][] scores = again(11, Priority.BACKGROUND).get(30, TimeUnit.SECONDS);
        assertThat(scores).hasDimensions(11, 1);
        for (int i = 0; i < scores.length; i++) {
            assertThat(scores[i]).containsExactly(100 + i);
        }
        assertThat(stages.turns).containsExactly("score [0, 1, 2, 3]", "score [4, 5, 6, 7]", "score [8, 9, 10]");
        assertThat(count("tagstream.runtime.rescored")).isEqualTo(11);
        assertThat(pipeline.acceptedAgain()).isZero();
    }

    @Test
    void shouldLetFreshImagesGoBetweenTheParts() throws Exception {
        stages.scoreGate.drainPermits();
        CompletableFuture<float[][]> group = again(8, Priority.BACKGROUND);
        await(() -> stages.turns.size() == 1);
        CompletableFuture<ImageScores<NumberedLabels>> fresh = submit(FakeStages.image(50));
        // one thread fetches and one decodes: once the second image is decoded, the first waits for the model
        CompletableFuture<ImageScores<NumberedLabels>> later = submit(FakeStages.image(60));
        await(() -> stages.decoded.get() == 2);
        CompletableFuture<float[][]> urgent = again(1, Priority.FRESH);
        stages.scoreGate.release();
        CompletableFuture.allOf(group, fresh, later, urgent).get(30, TimeUnit.SECONDS);
        assertThat(stages.turns)
                .startsWith("score [0, 1, 2, 3]", "score [0]", "encode [50]", "score [50]")
                .contains("score [4, 5, 6, 7]");
    }

    @Test
    void shouldTurnAwayWhatThereIsNoRoomForAndFreeItWhenCancelled() throws Exception {
        stages.scoreGate.drainPermits();
        CompletableFuture<float[][]> first = again(ROOM - 8, Priority.BACKGROUND);
        assertThat(pipeline.tryScore(features(9), HUNDRED, Priority.FRESH)).isEmpty();
        CompletableFuture<float[][]> second = again(8, Priority.BACKGROUND);
        assertThat(pipeline.tryScore(features(1), HUNDRED, Priority.FRESH)).isEmpty();
        second.cancel(false);
        assertThat(pipeline.acceptedAgain()).isEqualTo(ROOM - 8);
        // room is free before the future completes
        CompletableFuture<Boolean> resubmitted = first.thenApply(scores ->
                pipeline.tryScore(features(ROOM), HUNDRED, Priority.BACKGROUND).isPresent());
        stages.scoreGate.release();
        assertThat(resubmitted.get(30, TimeUnit.SECONDS)).isTrue();
        await(() -> pipeline.acceptedAgain() == 0);
        assertThat(again(ROOM + 1, Priority.BACKGROUND).get(30, TimeUnit.SECONDS))
                .hasDimensions(ROOM + 1, 1);
    }

    @Test
    void shouldNotScoreWhatWasCancelled() throws Exception {
        stages.scoreGate.drainPermits();
        CompletableFuture<float[][]> inModel = again(8, Priority.BACKGROUND);
        await(() -> stages.turns.size() == 1);
        CompletableFuture<float[][]> waiting = again(1, Priority.BACKGROUND);
        waiting.cancel(false);
        inModel.cancel(false);
        CompletableFuture<float[][]> kept = again(2, Priority.BACKGROUND);
        stages.scoreGate.release();
        assertThat(kept.get(30, TimeUnit.SECONDS)).hasDimensions(2, 1);
        assertThat(stages.turns).containsExactly("score [0, 1, 2, 3]", "score [0, 1]");
    }

    @Test
    void shouldFailAGroupThatTheModelFailsOn() throws Exception {
        stages.scoreFailure = new IllegalStateException("the model broke");
        assertFails(again(3, Priority.FRESH), "the model broke");
        stages.scoreFailure = null;
        stages.scoreToAdd = Float.NaN;
        assertFails(again(3, Priority.FRESH), "label number 0 the score NaN");
        stages.scoreToAdd = 0;
        CompletableFuture<float[][]> foreign = pipeline.tryScore(
                        List.of(FakeStages.features(1), new ImageFeatures(new byte[5])), HUNDRED, Priority.FRESH)
                .orElseThrow();
        assertFails(foreign, "features of 5 bytes are not this model's, which have 4");
        assertThat(again(1, Priority.FRESH).get(30, TimeUnit.SECONDS)[0]).containsExactly(100);
        assertThat(pipeline.acceptedAgain()).isZero();
    }

    @Test
    void shouldCancelWhatWaitsWhenClosed() {
        stages.scoreGate.drainPermits();
        CompletableFuture<float[][]> inModel = again(8, Priority.BACKGROUND);
        await(() -> stages.turns.size() == 1);
        CompletableFuture<float[][]> waiting = again(8, Priority.FRESH);
        CompletableFuture<Void> closing = CompletableFuture.runAsync(pipeline::close);
        await(() -> inModel.isDone() && waiting.isDone());
        assertThat(inModel).isCancelled();
        assertThat(waiting).isCancelled();
        stages.scoreGate.release();
        closing.join();
        assertThat(again(1, Priority.FRESH)).isCancelled();
        assertThat(pipeline.acceptedAgain()).isZero();
        assertThat(stages.turns).hasSize(1);
    }

    @Test
    void shouldNeitherDecodeNorEncodeBytesThatAreKnown() throws Exception {
        // features that differ from those of the bytes, to see which of them are scored
        KnownImage known = new KnownImage(sha256("7"), 640, 480, FakeStages.features(77));
        ImageScores<NumberedLabels> scores =
                submit(FakeStages.image(7).knownAs(known)).get(30, TimeUnit.SECONDS);
        assertThat(scores.scores()).containsExactly(177);
        assertThat(scores.features()).isSameAs(known.features());
        assertThat(scores.width()).isEqualTo(640);
        assertThat(scores.height()).isEqualTo(480);
        assertThat(scores.sha256()).isEqualTo(sha256("7"));
        assertThat(stages.turns).containsExactly("score [77]");
        assertThat(stages.decoded).hasValue(0);
        assertThat(count("tagstream.runtime.reused")).isEqualTo(1);
    }

    @Test
    void shouldEncodeBytesThatHaveChangedSinceTheyWereKnown() throws Exception {
        KnownImage before = new KnownImage(sha256("6"), 640, 480, FakeStages.features(66));
        KnownImage foreign = new KnownImage(sha256("8"), 640, 480, new ImageFeatures(new byte[3]));
        assertThat(submit(FakeStages.image(7).knownAs(before))
                        .get(30, TimeUnit.SECONDS)
                        .scores())
                .containsExactly(107);
        assertThat(submit(FakeStages.image(8).knownAs(foreign))
                        .get(30, TimeUnit.SECONDS)
                        .scores())
                .containsExactly(108);
        assertThat(count("tagstream.runtime.reused")).isZero();
    }

    @Test
    void shouldReadABackgroundImageWhenNothingFreshWaits() throws Exception {
        assertThat(submit(FakeStages.image(7).inBackground())
                        .get(30, TimeUnit.SECONDS)
                        .scores())
                .containsExactly(107);
    }

    @Test
    void shouldEncodeKnownAndUnknownImagesOfABatchEachInItsOwnWay() throws Exception {
        pipeline.close();
        pipeline = pipeline(0, 6);
        List<CompletableFuture<ImageScores<NumberedLabels>>> futures = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            ImageRequest request = FakeStages.image(i);
            futures.add(submit(
                    i % 2 == 0
                            ? request
                            : request.knownAs(new KnownImage(sha256("" + i), 1, 1, FakeStages.features(10 * i)))));
        }
        for (int i = 0; i < 6; i++) {
            float expected = i % 2 == 0 ? 100 + i : 100 + 10 * i;
            assertThat(futures.get(i).get(30, TimeUnit.SECONDS).scores()).containsExactly(expected);
        }
        assertThat(stages.batchSizes).containsExactly(3);
        assertThat(stages.turns).hasSize(2);
    }

    @Test
    void shouldFailOnlyWhatHadToBeEncodedWhereEncodingFails() throws Exception {
        pipeline.close();
        pipeline = pipeline(0, 2);
        stages.encodeFailure = new IllegalStateException("the encoder broke");
        CompletableFuture<ImageScores<NumberedLabels>> unknown = submit(FakeStages.image(1));
        CompletableFuture<ImageScores<NumberedLabels>> known =
                submit(FakeStages.image(2).knownAs(new KnownImage(sha256("2"), 1, 1, FakeStages.features(2))));
        assertFails(unknown, "the encoder broke");
        assertThat(known.get(30, TimeUnit.SECONDS).scores()).containsExactly(102);
    }

    @Test
    void shouldRememberTheBytesItEncodedLast() throws Exception {
        pipeline.close();
        pipeline = pipeline(2, 1);
        for (int number : new int[] {1, 2, 1, 3, 1, 2}) {
            ImageScores<NumberedLabels> scores =
                    submit(FakeStages.image(number)).get(30, TimeUnit.SECONDS);
            assertThat(scores.scores()).containsExactly(100 + number);
            assertThat(scores.width()).isEqualTo(number);
        }
        // 3 took the place of 2, the least recently used
        assertThat(stages.turns)
                .filteredOn(turn -> turn.startsWith("encode"))
                .containsExactly("encode [1]", "encode [2]", "encode [3]", "encode [2]");
        assertThat(count("tagstream.runtime.reused")).isEqualTo(2);
    }

    @Test
    void shouldNotRememberFeaturesThatGaveNoScores() throws Exception {
        pipeline.close();
        pipeline = pipeline(2, 1);
        stages.scoreToAdd = Float.NaN;
        assertFails(submit(FakeStages.image(1)), "NaN");
        stages.scoreToAdd = 0;
        assertThat(submit(FakeStages.image(1)).get(30, TimeUnit.SECONDS).scores())
                .containsExactly(101);
        assertThat(stages.batchSizes).containsExactly(1, 1);
    }

    private ScoringPipeline pipeline(int cachedImages, int batchSize) {
        RetryOptions once = new RetryOptions(1, Duration.ZERO, Duration.ZERO, Duration.ofHours(1));
        return new ScoringPipeline(
                stages,
                PipelineOptions.builder()
                        .maxAccepted(100)
                        .maxInFlight(100)
                        .fetchThreads(1)
                        .decodeThreads(1)
                        .batchSize(batchSize)
                        .batchWait(Duration.ofHours(1))
                        .cachedImages(cachedImages)
                        .retry(once)
                        .build(),
                registry);
    }

    private CompletableFuture<float[][]> again(int images, Priority priority) {
        return pipeline.tryScore(features(images), HUNDRED, priority).orElseThrow();
    }

    private CompletableFuture<ImageScores<NumberedLabels>> submit(ImageRequest request) {
        Optional<CompletableFuture<ImageScores<NumberedLabels>>> submitted =
                pipeline.trySubmit(request, KeptFeaturesTest::hundred);
        return submitted.orElseThrow();
    }

    private static NumberedLabels hundred() {
        return HUNDRED;
    }

    /** Images 0 to {@code count} - 1. */
    private static List<ImageFeatures> features(int count) {
        return IntStream.range(0, count).mapToObj(FakeStages::features).toList();
    }

    private static String sha256(String content) {
        return Sha256.of(content.getBytes(StandardCharsets.UTF_8));
    }

    private double count(String metric) {
        return registry.get(metric).counters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    private static void assertFails(CompletableFuture<?> future, String inMessage) {
        assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.MODEL_ERROR))
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
