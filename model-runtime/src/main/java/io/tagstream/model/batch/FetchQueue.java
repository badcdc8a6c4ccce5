/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.Priority;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The images that wait for an attempt, and which of them is next. An image that waits here holds no thread, no bytes
 * and no pixels.
 *
 * <ul>
 *   <li><b>Turns.</b> Images queue by priority, lane and source, and the queues take turns: neither a caller nor a
 *       source with many images makes the others wait for all of them. Within a queue, images that return from a
 *       backoff go first.
 *   <li><b>Priorities.</b> A background image is fetched only when no fresh image can be. At most one in
 *       {@value #BACKGROUND_AHEAD} of the images fetched ahead of the model is a background image, since they take room
 *       that fresh images would have to wait for.
 *   <li><b>Sources.</b> Each has a {@link SourceLimit}, and none uses more than {@value #SHARE_OF_FREE} times as many
 *       fetch threads as it leaves free (dynamic thresholds: Choudhury and Hahne, 1998). So a source that starts to
 *       hang leaves threads for the others, however many it had.
 *   <li><b>Giving up.</b> If a source has answered nobody for the deadline, images that have waited as long fail
 *       without an attempt. Images wait on for a source that is just slow.
 * </ul>
 *
 * <p><i>Threading notes.</i> Thread-safe. Nothing here blocks or calls back: methods return what to start or end.
 */
final class FetchQueue {
    private static final int SHARE_OF_FREE = 3;
    /** How many idle sources to remember because they were recently in trouble. */
    private static final int REMEMBERED_SOURCES = 1_000;

    /** One in this many of the images fetched ahead may be a background image. */
    private static final int BACKGROUND_AHEAD = 4;

    private record LineKey(Priority priority, Object lane, String source) {
        static LineKey of(ImageJob<?> job) {
            return new LineKey(job.request.priority(), job.request.lane(), job.source);
        }
    }

    private final int maxFetching;
    /** The most fetches for one source, when there is no other. */
    private final int maxOfSource;

    private final int maxInFlight;
    private final int maxAhead;
    private final long deadlineNanos;
    private final Map<String, Source> sources = new HashMap<>();
    private final Map<LineKey, Line> lines = new HashMap<>();
    /** Lines that take turns: all but those that their source holds. */
    private final Map<Priority, Deque<Line>> turns = new EnumMap<>(Priority.class);

    private final Map<String, Source> idleInTrouble = new LinkedHashMap<>();
    private int fetching;
    private int inFlight;
    private int backgroundFetching;
    private int backgroundInFlight;
    private int waiting;

    /**
     * @param maxFetching the most fetches at a time
     * @param maxInFlight the most images in all stages at a time
     * @param maxAhead how many of these may be fetched already when another fetch begins. They have had their turn, so
     *     any image that comes now waits for all of them
     * @param deadline see {@link RetryOptions}
     */
    FetchQueue(int maxFetching, int maxInFlight, int maxAhead, Duration deadline) {
        this.maxFetching = maxFetching;
        this.maxOfSource = Math.max(1, maxFetching * SHARE_OF_FREE / (SHARE_OF_FREE + 1));
        this.maxInFlight = maxInFlight;
        this.maxAhead = maxAhead;
        this.deadlineNanos = deadline.toNanos();
        for (Priority priority : Priority.values()) {
            turns.put(priority, new ArrayDeque<>());
        }
    }

    /** The queue of one lane's images at one source. */
    private static final class Line {
        private final LineKey key;
        private final Source source;
        private final Set<ImageJob<?>> again = new LinkedHashSet<>();
        private final Set<ImageJob<?>> fresh = new LinkedHashSet<>();
        /** Whether it is in {@link #turns} or in its source's held lines. */
        private boolean linedUp;

        Line(LineKey key, Source source) {
            this.key = key;
            this.source = source;
        }

        boolean isEmpty() {
            return again.isEmpty() && fresh.isEmpty();
        }

        ImageJob<?> next() {
            Set<ImageJob<?>> images = again.isEmpty() ? fresh : again;
            ImageJob<?> next = images.iterator().next();
            images.remove(next);
            return next;
        }
    }

    /** A source that images wait for or are being fetched from, or that was recently in trouble. */
    private static final class Source {
        private final String name;
        private final SourceLimit limit;
        private final List<Line> held = new ArrayList<>();
        private int lines;
        private int inUse;
        private long answeredAt;
        private Optional<Long> pausedUntil = Optional.empty();

        Source(String name, int most, long now) {
            this.name = name;
            this.limit = new SourceLimit(most);
            this.answeredAt = now;
        }

        boolean isFull(long now) {
            return inUse >= limit.current()
                    || pausedUntil.filter(until -> until - now > 0).isPresent();
        }

        boolean idle() {
            return lines == 0 && inUse == 0;
        }
    }

    /** Adds an image that waits for its next attempt; false if it has ended. */
    synchronized boolean add(ImageJob<?> job, long now) {
        if (job.ended()) {
            return false;
        }
        Line line = lines.computeIfAbsent(LineKey.of(job), key -> {
            Source source = sources.computeIfAbsent(key.source(), name -> {
                Source remembered = idleInTrouble.remove(name);
                return remembered == null ? new Source(name, maxOfSource, now) : remembered;
            });
            if (source.idle()) {
                source.answeredAt = now; // nobody has asked it
            }
            source.lines++;
            return new Line(key, source);
        });
        (job.attempts() > 0 ? line.again : line.fresh).add(job);
        waiting++;
        if (!line.linedUp) {
            line.linedUp = true;
            turns(line).add(line);
        }
        return true;
    }

    /** Removes an image that has ended or is about to; false if it does not wait here. */
    synchronized boolean remove(ImageJob<?> job) {
        Line line = lines.get(LineKey.of(job));
        if (line == null || !(line.again.remove(job) || line.fresh.remove(job))) {
            return false;
        }
        waiting--;
        forgetIfEmpty(line);
        return true;
    }

    /** The next image to fetch, if one may be fetched now. From then on it is in flight, and its source in use. */
    synchronized Optional<ImageJob<?>> poll(long now) {
        if (fetching >= maxFetching || inFlight >= maxInFlight || inFlight - fetching >= maxAhead) {
            return Optional.empty();
        }
        Optional<ImageJob<?>> fresh = poll(turns.get(Priority.FRESH), now);
        int backgroundAhead = backgroundInFlight - backgroundFetching;
        if (fresh.isPresent() || backgroundAhead >= Math.max(1, maxAhead / BACKGROUND_AHEAD)) {
            return fresh;
        }
        return poll(turns.get(Priority.BACKGROUND), now);
    }

    private Optional<ImageJob<?>> poll(Deque<Line> lined, long now) {
        for (int left = lined.size(); left > 0; left--) {
            Line line = lined.remove();
            Source source = line.source;
            if (line.isEmpty()) {
                line.linedUp = false;
                continue;
            }
            if (source.isFull(now)) {
                source.held.add(line);
                continue;
            }
            if (source.inUse > 0 && source.inUse + 1 > SHARE_OF_FREE * (maxFetching - fetching - 1)) {
                lined.add(line);
                continue;
            }
            ImageJob<?> next = line.next();
            waiting--;
            source.inUse++;
            fetching++;
            inFlight++;
            if (isBackground(next)) {
                backgroundFetching++;
                backgroundInFlight++;
            }
            next.inFlight = true;
            if (line.isEmpty()) {
                line.linedUp = false;
                forgetIfEmpty(line);
            } else {
                lined.add(line);
            }
            return Optional.of(next);
        }
        return Optional.empty();
    }

    /** The image has left the stages. */
    synchronized void landed(ImageJob<?> job) {
        if (job.inFlight) {
            job.inFlight = false;
            inFlight--;
            if (isBackground(job)) {
                backgroundInFlight--;
            }
        }
    }

    /** The image's source has answered, no matter what. */
    synchronized void answered(ImageJob<?> job, long now) {
        Source source = sources.get(job.source);
        source.limit.answered(source.inUse);
        source.answeredAt = now;
        release(job, source);
    }

    /** The image was cancelled before its source was asked. */
    synchronized void notAsked(ImageJob<?> job) {
        release(job, sources.get(job.source));
    }

    /**
     * The image's source is down or overloaded.
     *
     * @param pause how long it wants to be left alone; 0 if it does not say
     * @return images to give up
     */
    synchronized List<ImageJob<?>> overloaded(ImageJob<?> job, long begunAt, long now, Duration pause) {
        Source source = sources.get(job.source);
        source.limit.overloaded(begunAt, now);
        if (!pause.isZero()) {
            source.pausedUntil = Optional.of(now + pause.toNanos());
        }
        release(job, source);
        List<ImageJob<?>> givenUp = new ArrayList<>();
        if (now - source.answeredAt >= deadlineNanos) {
            for (Line line : List.copyOf(lines.values())) {
                if (line.source == source) {
                    line.fresh.stream()
                            .filter(image -> now - image.submittedAt >= deadlineNanos)
                            .forEach(givenUp::add);
                }
            }
            givenUp.forEach(this::remove);
        }
        return givenUp;
    }

    /** A source's pause may have ended. */
    synchronized void resume(String name) {
        Source source = sources.get(name);
        if (source != null) {
            lineUpHeld(source);
        }
    }

    /** Says why an image was given up. */
    ImageException unserved(ImageJob<?> job) {
        return new ImageException(
                FailureReason.FETCH_TIMEOUT,
                "%s has served no image for %d s; submit the image again when it is back"
                        .formatted(job.source, Duration.ofNanos(deadlineNanos).toSeconds()),
                0,
                null);
    }

    private void release(ImageJob<?> job, Source source) {
        fetching--;
        if (isBackground(job)) {
            backgroundFetching--;
        }
        source.inUse--;
        lineUpHeld(source);
        rememberIfIdle(source);
    }

    private static boolean isBackground(ImageJob<?> job) {
        return job.request.priority() == Priority.BACKGROUND;
    }

    private Deque<Line> turns(Line line) {
        return turns.get(line.key.priority());
    }

    private void lineUpHeld(Source source) {
        source.held.forEach(line -> turns(line).add(line));
        source.held.clear();
    }

    private void forgetIfEmpty(Line line) {
        if (line.isEmpty() && lines.remove(line.key, line)) {
            if (line.linedUp) {
                turns(line).remove(line);
                line.source.held.remove(line);
                line.linedUp = false;
            }
            line.source.lines--;
            rememberIfIdle(line.source);
        }
    }

    private void rememberIfIdle(Source source) {
        if (!source.idle()) {
            return;
        }
        sources.remove(source.name);
        if (source.limit.reduced() || source.pausedUntil.isPresent()) {
            idleInTrouble.put(source.name, source);
            if (idleInTrouble.size() > REMEMBERED_SOURCES) {
                idleInTrouble.remove(idleInTrouble.keySet().iterator().next());
            }
        }
    }

    /** The number of images that wait for their turn or their source. */
    synchronized int waiting() {
        return waiting;
    }

    /** The number of images in the stages. */
    synchronized int inFlight() {
        return inFlight;
    }

    /** How long ago the oldest waiting image was submitted, in nanoseconds; 0 if none waits. */
    synchronized long oldestNanos(long now) {
        return lines.values().stream()
                .flatMap(line -> Stream.of(line.again, line.fresh))
                .flatMap(images -> images.stream().limit(1))
                .mapToLong(job -> now - job.submittedAt)
                .max()
                .orElse(0);
    }

    /** The most images that wait for one source. */
    synchronized int longestSourceQueue() {
        Map<Source, Integer> waitingBySource = new HashMap<>();
        for (Line line : lines.values()) {
            waitingBySource.merge(line.source, line.again.size() + line.fresh.size(), Integer::sum);
        }
        return waitingBySource.values().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
    }

    /** The number of sources whose limit is below the maximum. */
    synchronized int limitedSources() {
        return (int) sources.values().stream()
                .filter(source -> source.limit.reduced())
                .count();
    }
}
