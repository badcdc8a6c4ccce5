/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.model.DeviceState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Device} and whether it works. One that fails gets no batches until it can run the model on an empty image
 * again, so that images do not use up their attempts on it. If there are others, it also pauses when batch after batch
 * fails on it.
 *
 * <p><i>Threading notes.</i> The device's thread calls {@link #succeeded} and {@link #failed}; any thread may ask for the
 * {@link #state}.
 */
final class DeviceWorker {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceWorker.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final int MOST_DOUBLINGS = 10;

    private final Device device;
    private final boolean hasOthers;
    private final CountDownLatch closing;
    private final Counter images;
    private int failuresInARow;
    private volatile Optional<DeviceState.Failure> failure = Optional.empty();

    /**
     * @param hasOthers whether other devices could take its images
     * @param closing reaches zero when there is nothing to wait for any more
     */
    DeviceWorker(Device device, boolean hasOthers, CountDownLatch closing, MeterRegistry registry) {
        this.device = device;
        this.hasOthers = hasOthers;
        this.closing = closing;
        this.images = PipelineMetric.DEVICE_IMAGES.counter(registry, device.name());
    }

    Device device() {
        return device;
    }

    DeviceState state() {
        return new DeviceState(device.name(), failure);
    }

    void encoded(int count) {
        images.increment(count);
    }

    /** It has done what it was asked for. */
    void succeeded() {
        failuresInARow = 0;
        failure = Optional.empty();
    }

    /** Waits until the device works again, or the pipeline closes. */
    void failed(Throwable cause) throws InterruptedException {
        failuresInARow++;
        if (hasOthers && failuresInARow > 1) {
            report(cause);
            pause();
        }
        while (closing.getCount() > 0) {
            try {
                device.probe();
                worksAgain();
                return;
            } catch (InterruptedException e) {
                throw e;
            } catch (Throwable e) {
                failuresInARow++;
                report(e);
                pause();
            }
        }
    }

    private void worksAgain() {
        failure.ifPresent(past -> LOG.info(
                "device {}: works again, after {} s",
                device.name(),
                Duration.between(past.since(), Instant.now()).toSeconds()));
        failure = Optional.empty();
    }

    private void report(Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        if (failure.isEmpty()) {
            LOG.warn("device {}: fails, and gets no images until it works again: {}", device.name(), message);
        }
        failure = Optional.of(new DeviceState.Failure(
                message, failure.map(DeviceState.Failure::since).orElseGet(Instant::now)));
    }

    private void pause() throws InterruptedException {
        long nanos = FIRST_PAUSE.toNanos() << Math.min(MOST_DOUBLINGS, failuresInARow - 1);
        // an early end means that the pipeline closes
        closing.await(Math.min(LONGEST_PAUSE.toNanos(), nanos), TimeUnit.NANOSECONDS);
    }
}
