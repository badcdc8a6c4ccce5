/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.model.DeviceState;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.Priority;
import io.tagstream.model.batch.FakeStages.NumberedLabels;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DevicesTest {
    private static final int BATCH = 4;
    private static final NumberedLabels LABELS = new NumberedLabels(1000);

    private final FakeStages stages = new FakeStages();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final FakeDevice one = new FakeDevice("cuda:0");
    private final FakeDevice other = new FakeDevice("cuda:1");
    private ScoringPipeline pipeline;

    /** Scores as {@link FakeStages} do, and can be held up and fail. */
    private static final class FakeDevice implements Device {
        private final String name;
        private final List<Integer> loaded = new ArrayList<>();
        final Semaphore gate = new Semaphore(1_000_000);
        final AtomicInteger batches = new AtomicInteger();
        final AtomicInteger parts = new AtomicInteger();
        volatile boolean fails;
        volatile boolean failsProbes;

        FakeDevice(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void load(List<ByteBuffer> pixels) {
            loaded.clear();
            pixels.forEach(buffer -> loaded.add(buffer.getInt(0)));
        }

        @Override
        public List<ImageFeatures> encode(int images) throws Exception {
            batches.incrementAndGet();
            pass();
            return loaded.stream().map(FakeStages::features).toList();
        }

        @Override
        public float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception {
            parts.incrementAndGet();
            pass();
            float[][] scores = new float[images.size()][1];
            for (int i = 0; i < scores.length; i++) {
                scores[i][0] = ByteBuffer.wrap(images.get(i).bytes()).getInt() + ((NumberedLabels) labels).number();
            }
            return scores;
        }

        @Override
        public void probe() throws Exception {
            if (failsProbes) {
                throw new IllegalStateException("no device");
            }
        }

        private void pass() throws InterruptedException {
            gate.acquire();
            gate.release();
            if (fails) {
                throw new IllegalStateException("no device");
            }
        }
    }

    @AfterEach
    void close() {
        one.gate.release(1000);
        other.gate.release(1000);
        pipeline.close();
        stages.close();
    }

    @Test
    void shouldGiveBatchesToWhicheverDeviceIsFree() {
        start(3, one, other);
        one.gate.drainPermits();
        List<CompletableFuture<ImageScores<NumberedLabels>>> images = submit(100);

        // the slow device has one batch at most, and nothing else waits for it
        await().until(() -> images.stream().filter(CompletableFuture::isDone).count() >= 100 - BATCH);
        one.gate.release(1000);

        assertScored(images);
        assertThat(one.batches).hasValueLessThanOrEqualTo(1);
        assertThat(encodedBy(one) + encodedBy(other)).isEqualTo(100);
    }

    @Test
    void shouldUseAllDevicesAtATime() {
        start(3, one, other);
        one.gate.drainPermits();
        other.gate.drainPermits();
        List<CompletableFuture<ImageScores<NumberedLabels>>> images = submit(2 * BATCH);

        await().until(() -> one.batches.get() == 1 && other.batches.get() == 1);
        one.gate.release(1000);
        other.gate.release(1000);

        assertScored(images);
    }

    @Test
    void shouldLoseNoImageOnADeviceThatFailsAndComesBack() {
        start(2, one, other);
        other.fails = true;
        other.failsProbes = true;
        List<CompletableFuture<ImageScores<NumberedLabels>>> images = submit(100);
        one.gate.drainPermits();
        await().until(() -> failed(other) == 1);
        one.gate.release(1000);

        assertScored(images);
        assertThat(other.batches).hasValue(1);
        assertThat(pipeline.devices()).extracting(DeviceState::name).containsExactly("cuda:0", "cuda:1");
        assertThat(pipeline.devices().get(0).failure()).isEmpty();
        assertThat(pipeline.devices().get(1).failure())
                .hasValueSatisfying(failure -> assertThat(failure.message()).isEqualTo("no device"));

        other.fails = false;
        other.failsProbes = false;
        await().until(() -> pipeline.devices().get(1).failure().isEmpty());
        assertThat(failed(other)).isZero();
        one.gate.drainPermits();
        List<CompletableFuture<ImageScores<NumberedLabels>>> more = submit(100);
        await().until(() -> other.batches.get() > 1);
        one.gate.release(1000);
        assertScored(more);
    }

    @Test
    void shouldKeepImagesFromADeviceThatFailsBatchAfterBatchAlthoughItSeemsToWork() {
        start(5, one, other);
        other.fails = true;

        assertScored(submit(400));
        assertThat(other.batches).hasValueLessThan(10);
    }

    @Test
    void shouldLetImagesWaitWhileTheOnlyDeviceFails() {
        start(2, one);
        one.fails = true;
        one.failsProbes = true;
        List<CompletableFuture<ImageScores<NumberedLabels>>> images = submit(40);

        await().until(() -> failed(one) == 1);
        assertThat(one.batches).hasValue(1);
        one.fails = false;
        one.failsProbes = false;

        assertScored(images);
    }

    @Test
    void shouldScoreAgainOnAnotherDeviceWhatOneFailedToScore() throws Exception {
        start(2, one, other);
        other.fails = true;
        other.failsProbes = true;
        one.gate.drainPermits();
        List<ImageFeatures> features =
                IntStream.range(0, 10).mapToObj(FakeStages::features).toList();
        List<CompletableFuture<float[][]>> jobs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            jobs.add(pipeline.tryScore(features, LABELS, Priority.FRESH).orElseThrow());
        }
        await().until(() -> failed(other) == 1);
        one.gate.release(1000);

        for (CompletableFuture<float[][]> job : jobs) {
            float[][] scores = job.get(30, TimeUnit.SECONDS);
            for (int i = 0; i < scores.length; i++) {
                assertThat(scores[i]).containsExactly(1000 + i);
            }
        }
        assertThat(other.parts).hasValue(1);
    }

    @Test
    void shouldCountADeviceWithSeveralBatchesUnderWayOnce() {
        start(3, one, new FakeDevice("cuda:0"));

        assertScored(submit(20));
        assertThat(pipeline.devices()).containsExactly(new DeviceState("cuda:0", Optional.empty()));
        assertThat(encodedBy(one)).isEqualTo(20);
    }

    private void start(int attempts, Device... devices) {
        stages.devices = List.of(devices);
        RetryOptions retry = new RetryOptions(attempts, Duration.ZERO, Duration.ZERO, Duration.ofHours(1));
        pipeline = new ScoringPipeline(
                stages,
                PipelineOptions.builder()
                        .batchSize(BATCH)
                        .batchWait(Duration.ofMillis(5))
                        .cachedImages(0)
                        .decodeThreads(2)
                        .retry(retry)
                        .build(),
                registry);
    }

    private List<CompletableFuture<ImageScores<NumberedLabels>>> submit(int count) {
        List<CompletableFuture<ImageScores<NumberedLabels>>> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            images.add(
                    pipeline.trySubmit(FakeStages.image(i), DevicesTest::labels).orElseThrow());
        }
        return images;
    }

    private static NumberedLabels labels() {
        return LABELS;
    }

    private static void assertScored(List<CompletableFuture<ImageScores<NumberedLabels>>> images) {
        for (int i = 0; i < images.size(); i++) {
            assertThat(images.get(i))
                    .succeedsWithin(Duration.ofSeconds(30))
                    .extracting(ImageScores::scores)
                    .isEqualTo(new float[] {1000 + i});
        }
    }

    private double encodedBy(Device device) {
        return registry.get("tagstream.runtime.device.images")
                .tag("device", device.name())
                .counter()
                .count();
    }

    private double failed(Device device) {
        return registry.get("tagstream.runtime.device.failed")
                .tag("device", device.name())
                .gauge()
                .value();
    }
}
