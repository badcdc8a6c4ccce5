/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli.bench;

import io.tagstream.CommandException;
import io.tagstream.avro.TagEvent;
import io.tagstream.cli.local.Outcome;
import io.tagstream.cli.local.OutcomeReader;
import io.tagstream.cli.local.Submitter;
import io.tagstream.images.NamedImage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Submits images to the pipeline, each time as a new image, and takes in their committed tag events. Used by one thread.
 */
final class PipelineLoad {
    private static final Duration TURN = Duration.ofMillis(5);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final List<NamedImage> images;
    private final Submitter submitter;
    private final OutcomeReader reader;
    private final ScoreCheck check;
    private final BooleanSupplier stopped;
    private final Map<String, Submitted> outstanding = new HashMap<>();
    private long submissions;

    /** An image under way: its place among the images, and when it was due. */
    private record Submitted(int image, long nanos) {}

    PipelineLoad(
            List<NamedImage> images,
            Submitter submitter,
            OutcomeReader reader,
            ScoreCheck check,
            BooleanSupplier stopped) {
        this.images = images;
        this.submitter = submitter;
        this.reader = reader;
        this.check = check;
        this.stopped = stopped;
    }

    /**
     * Keeps {@code window} images under way and measures between two arrivals of committed events, after the run-up.
     * Returns when the last has arrived, or {@link Speed#NONE} as soon as it is to stop.
     */
    Speed saturate(Duration runUp, Duration duration, int window, Runnable atStart) {
        long began = System.nanoTime();
        long from = began + runUp.toNanos();
        long until = from + duration.toNanos();
        Arrival first = null;
        Arrival last = null;
        long counted = 0;
        while (System.nanoTime() < until && !stopped.getAsBoolean()) {
            while (outstanding.size() < window) {
                submit(System.nanoTime());
            }
            int arrived = take(null);
            if (arrived == 0 || System.nanoTime() < from) {
                continue;
            }
            last = new Arrival(System.nanoTime(), ProcessUsage.cpuNanos());
            if (first == null) {
                first = last;
                atStart.run();
            } else {
                counted += arrived;
            }
        }
        drain(null);
        if (stopped.getAsBoolean()) {
            return Speed.NONE;
        }
        if (counted == 0) {
            throw CommandException.failed("the pipeline finished too few images to measure in %d s; give more --seconds"
                    .formatted(duration.toSeconds()));
        }
        return new Speed(counted, last.nanos() - first.nanos(), last.cpuNanos() - first.cpuNanos());
    }

    /**
     * Every image's times.
     *
     * @param total from when it was due to its committed tag event
     * @param commit of these, from when the event was written
     */
    record Latencies(List<Duration> total, List<Duration> commit) {
        private static Latencies none() {
            return new Latencies(new ArrayList<>(), new ArrayList<>());
        }
    }

    /** Submits at an even rate and returns every image's times. */
    Latencies atRate(double imagesPerSecond, Duration duration) {
        Latencies latencies = Latencies.none();
        long began = System.nanoTime();
        long sent = 0;
        while (System.nanoTime() - began < duration.toNanos() && !stopped.getAsBoolean()) {
            // due, not sent: a sender that is held up must not flatter what holds it up
            long due = began + (long) (sent * 1e9 / imagesPerSecond);
            while (due <= System.nanoTime()) {
                submit(due);
                sent++;
                due = began + (long) (sent * 1e9 / imagesPerSecond);
            }
            take(latencies);
        }
        drain(latencies);
        return latencies;
    }

    private record Arrival(long nanos, long cpuNanos) {}

    private void submit(long due) {
        int place = (int) (submissions % images.size());
        NamedImage image = images.get(place);
        String id = "bench-" + submissions++;
        outstanding.put(id, new Submitted(place, due));
        submitter.submit(new NamedImage(id, image.uri(), image.file()));
    }

    /** Takes in what has arrived; returns how many. */
    private int take(Latencies latencies) {
        int arrived = 0;
        for (Outcome outcome : reader.poll(TURN, PipelineLoad::fail)) {
            Submitted submitted = outstanding.remove(outcome.imageId());
            if (submitted == null) {
                throw CommandException.failed("image %s has a second outcome".formatted(outcome.imageId()));
            }
            if (outcome instanceof Outcome.Failed failed) {
                throw CommandException.failed("%s failed in the pipeline: %s"
                        .formatted(
                                images.get(submitted.image()).id(),
                                failed.failure().getMessage()));
            }
            TagEvent event = ((Outcome.Tagged) outcome).event();
            check.check(submitted.image(), event);
            if (latencies != null) {
                latencies.total().add(Duration.ofNanos(System.nanoTime() - submitted.nanos()));
                latencies.commit().add(Duration.between(event.getTaggedAt(), Instant.now()));
            }
            arrived++;
        }
        return arrived;
    }

    private static void fail(String complaint) {
        throw CommandException.failed(complaint);
    }

    private void drain(Latencies latencies) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!outstanding.isEmpty() && !stopped.getAsBoolean()) {
            take(latencies);
            if (System.nanoTime() > deadline) {
                throw CommandException.failed("%d images had no outcome after %d s; run with --verbose to see why"
                        .formatted(outstanding.size(), PATIENCE.toSeconds()));
            }
        }
    }
}
