/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.batch.PipelineMetric.Stage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes images through fetch, decode and inference, shared by all callers, so that batches fill from all of them. What
 * fails and may pass is tried again, from the start, after a {@link Backoff}.
 *
 * <p><i>Threading notes.</i>
 *
 * <ul>
 *   <li>{@link #trySubmit} may be called from any thread and never blocks: it takes room, or turns away.
 *   <li>Accepted images wait in the {@link FetchQueue}, without a thread, until it is their turn.
 *   <li>Fetch threads hand over to decode threads, these through the {@link Batcher} to one inference thread. The queues
 *       between them are unbounded in themselves; the fetch queue bounds what is in all of them together.
 *   <li>A thread of {@link Alarms} ends backoffs.
 *   <li>Decode threads wait for one of a fixed set of pixel buffers, so decoding runs at most two batches ahead.
 *   <li>The inference thread alone calls {@link Stages#load}, {@link Stages#encode} and {@link Stages#score}.
 *   <li>Futures complete on the thread of the stage that ended the image.
 *   <li>Whatever a stage throws, errors included, is the failure of its image or of its batch; no thread dies of it and
 *       no future is left behind.
 * </ul>
 */
public final class ScoringPipeline implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ScoringPipeline.class);
    private static final long JOIN_SECONDS = 60;
    private static final double NANOS_PER_SECOND = 1e9;
    /** Fetched images that wait for the model: enough that it need not wait for them. */
    private static final int BATCHES_AHEAD = 3;

    private final Stages stages;
    private final int maxAccepted;
    private final Semaphore room;
    private final FetchQueue queue;
    private final RetryOptions retry;
    private final Backoff backoff;
    private final Alarms alarms;
    private final ThreadPoolExecutor fetchPool;
    private final ThreadPoolExecutor decodePool;
    private final Batcher<Work<?>> batcher;
    private final BlockingQueue<ByteBuffer> pixelBuffers;
    private final Thread inference;
    private final Set<Work<?>> accepted = ConcurrentHashMap.newKeySet();
    private final PipelineMeters meters;
    private volatile boolean closed;

    /** A running pipeline, which owns its threads but not {@code stages}; it measures into {@code registry}. */
    public ScoringPipeline(Stages stages, PipelineOptions options, MeterRegistry registry) {
        this(stages, options, registry, Alarms.ofSystem(), new SplittableRandom());
    }

    /** With a clock and jitter of the caller's choice; {@code alarms} are closed with the pipeline. */
    ScoringPipeline(
            Stages stages, PipelineOptions options, MeterRegistry registry, Alarms alarms, RandomGenerator jitter) {
        this.stages = stages;
        this.maxAccepted = options.maxAccepted();
        this.room = new Semaphore(maxAccepted);
        this.retry = options.retry();
        int ahead = BATCHES_AHEAD * Math.max(options.batchSize(), options.decodeThreads());
        this.queue = new FetchQueue(options.fetchThreads(), options.maxInFlight(), ahead, retry.deadline());
        this.backoff = new Backoff(retry, jitter);
        this.alarms = alarms;
        this.meters = new PipelineMeters(registry);
        measure(registry);
        this.fetchPool = pool("tagstream-fetch", options.fetchThreads());
        this.decodePool = pool("tagstream-decode", options.decodeThreads());
        this.batcher = new Batcher<>(options.batchSize(), options.batchWait());
        int buffers = 2 * options.batchSize() + options.decodeThreads();
        this.pixelBuffers = new ArrayBlockingQueue<>(buffers);
        for (int i = 0; i < buffers; i++) {
            pixelBuffers.add(ByteBuffer.allocateDirect(stages.pixelBytes()));
        }
        this.inference = new Thread(this::infer, "tagstream-inference");
        inference.setDaemon(true);
        inference.start();
    }

    /** See {@link io.tagstream.model.ModelRuntime#trySubmit}. */
    @SuppressWarnings("FutureReturnValueIgnored") // the callback's own outcome: it frees what the image takes
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        if (!room.tryAcquire()) {
            return Optional.empty();
        }
        Work<L> work = new Work<>(request, labels, stages.source(request), alarms.nanoTime(), this::ended);
        accepted.add(work);
        work.future.whenComplete((scores, failure) -> {
            accepted.remove(work);
            work.endIfWaiting();
        });
        queue.add(work, work.submittedAt);
        dispatch();
        if (closed) {
            work.future.cancel(false);
        }
        return Optional.of(work.future);
    }

    /** Hands over to the fetch threads what may be fetched now. */
    private void dispatch() {
        while (!closed) {
            Optional<Work<?>> next = queue.poll(alarms.nanoTime());
            if (next.isEmpty()) {
                return;
            }
            Work<?> work = next.get();
            try {
                fetchPool.execute(() -> fetch(work));
            } catch (RejectedExecutionException e) {
                work.future.cancel(false);
            }
        }
    }

    /** An image has freed what it held, and its future is about to complete. */
    private void ended(Work<?> work) {
        queue.remove(work);
        queue.landed(work);
        room.release();
        dispatch();
    }

    /** Images accepted and not completed. */
    int accepted() {
        return maxAccepted - room.availablePermits();
    }

    private void measure(MeterRegistry registry) {
        PipelineMetric.ACCEPTED.gauge(registry, this, ScoringPipeline::accepted);
        PipelineMetric.IN_FLIGHT.gauge(registry, queue, FetchQueue::inFlight);
        PipelineMetric.QUEUE_SIZE.gauge(registry, queue, FetchQueue::waiting);
        PipelineMetric.QUEUE_AGE.gauge(
                registry, queue, measured -> measured.oldestNanos(alarms.nanoTime()) / NANOS_PER_SECOND);
        PipelineMetric.LIMITED_SOURCES.gauge(registry, queue, FetchQueue::limitedSources);
        PipelineMetric.LONGEST_SOURCE_QUEUE.gauge(registry, queue, FetchQueue::longestSourceQueue);
    }

    /**
     * Cancels what is in flight and joins the threads.
     *
     * @throws IllegalStateException if a thread does not end: what the stages use must then not be freed
     */
    @Override
    public void close() {
        closed = true;
        alarms.close();
        for (Work<?> work : accepted) {
            work.future.cancel(false);
        }
        batcher.close();
        fetchPool.shutdownNow();
        decodePool.shutdownNow();
        boolean interrupted = false;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(JOIN_SECONDS);
        while (true) {
            try {
                join(deadline);
                break;
            } catch (InterruptedException e) {
                // half a shutdown would free memory that a stage still uses
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void join(long deadline) throws InterruptedException {
        boolean ended = true;
        for (ExecutorService pool : List.of(fetchPool, decodePool)) {
            ended &= pool.awaitTermination(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        inference.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        if (!ended || inference.isAlive()) {
            throw new IllegalStateException(
                    "a stage did not end within %d s; its native memory stays allocated".formatted(JOIN_SECONDS));
        }
    }

    private void fetch(Work<?> work) {
        if (!work.enter()) {
            queue.notAsked(work);
            dispatch();
            return;
        }
        long start = alarms.nanoTime();
        long left = work.attempts() == 0
                ? retry.deadline().toNanos()
                : retry.deadline().toNanos() - (start - work.begunAt());
        if (left <= 0) {
            queue.notAsked(work);
            giveUp(work, work.lastFailure().after(work.attempts()));
            return;
        }
        work.begin(start);
        meters.stage(Stage.QUEUE, work.lap(start));
        try {
            work.fetched(stages.fetch(work.request, Duration.ofNanos(left)));
            meters.stage(Stage.FETCH, work.lap(alarms.nanoTime()));
        } catch (Throwable e) {
            ImageException failure = failure(e, "fetching", work);
            meters.stage(Stage.FETCH, work.lap(alarms.nanoTime()));
            // its slot is free before the image fails: whoever has an outcome finds the source as it was left
            List<Work<?>> hopeless = List.of();
            if (failure.sourceOverloaded()) {
                hopeless = overloaded(work, failure, start);
            } else {
                queue.answered(work, alarms.nanoTime());
            }
            fail(work, failure);
            for (Work<?> other : hopeless) {
                if (other.enter()) {
                    giveUp(other, queue.unserved(other));
                }
            }
            dispatch();
            return;
        }
        queue.answered(work, alarms.nanoTime());
        dispatch();
        if (work.leave()) {
            try {
                decodePool.execute(() -> decode(work));
            } catch (RejectedExecutionException e) {
                work.future.cancel(false);
            }
        }
    }

    private List<Work<?>> overloaded(Work<?> work, ImageException failure, long begunAt) {
        Duration asked = failure.retryAfter().orElse(Duration.ZERO);
        Duration pause = asked.compareTo(retry.maxBackoff()) < 0 ? asked : retry.maxBackoff();
        List<Work<?>> hopeless = queue.overloaded(work, begunAt, alarms.nanoTime(), pause);
        if (!pause.isZero()) {
            alarms.schedule(
                    () -> {
                        queue.resume(work.source);
                        dispatch();
                    },
                    pause.toNanos());
        }
        return hopeless;
    }

    private void decode(Work<?> work) {
        if (!work.enter()) {
            return;
        }
        try {
            ByteBuffer pixels = work.takePixels(pixelBuffers);
            meters.stage(Stage.DECODE_WAIT, work.lap(alarms.nanoTime()));
            try {
                work.decoded(stages.decode(work.encoded(), pixels));
            } finally {
                meters.stage(Stage.DECODE, work.lap(alarms.nanoTime()));
            }
        } catch (Throwable e) {
            fail(work, failure(e, "decoding", work));
            return;
        }
        if (work.leave() && !batcher.add(work)) {
            work.future.cancel(false);
        }
    }

    private void infer() {
        while (!batcher.isClosed()) {
            try {
                List<Work<?>> batch = new ArrayList<>(batcher.take());
                batch.removeIf(work -> !work.enter());
                if (!batch.isEmpty()) {
                    inferBatch(batch);
                }
            } catch (InterruptedException e) {
                LOG.warn("the inference thread is not to be interrupted; going on", e);
            }
        }
    }

    private void inferBatch(List<Work<?>> batch) {
        long start = alarms.nanoTime();
        List<Group<?>> groups = groups(batch);
        List<Work<?>> ordered = new ArrayList<>(batch.size());
        groups.forEach(group -> ordered.addAll(group.members));
        ordered.forEach(work -> meters.stage(Stage.BATCH_WAIT, work.lap(start)));
        try {
            stages.load(ordered.stream().map(Work::pixels).toList());
            ordered.forEach(Work::releasePixels);
            stages.encode(ordered.size());
        } catch (Throwable e) {
            ordered.forEach(work -> fail(work, failure(e, "inference", work)));
            return;
        }
        // before any of its futures completes: whoever has an outcome finds it counted
        meters.encoded(ordered.size(), alarms.nanoTime() - start);
        int from = 0;
        for (Group<?> group : groups) {
            score(group, from);
            from += group.members.size();
        }
    }

    private <L extends LabelVectors> void score(Group<L> group, int from) {
        L labels;
        float[][] scores;
        long start = alarms.nanoTime();
        try {
            labels = group.supplier.get();
            scores = stages.score(from, from + group.members.size(), labels);
        } catch (Throwable e) {
            group.members.forEach(work -> fail(work, failure(e, "scoring", work)));
            return;
        }
        long end = alarms.nanoTime();
        meters.scored(end - start);
        for (int i = 0; i < scores.length; i++) {
            Work<L> work = group.members.get(i);
            meters.stage(Stage.MODEL, work.lap(end));
            int notFinite = firstNotFinite(scores[i]);
            if (notFinite >= 0) {
                fail(
                        work,
                        new ImageException(
                                FailureReason.MODEL_ERROR,
                                "the model gave label number %d the score %s"
                                        .formatted(notFinite, scores[i][notFinite])));
            } else {
                meters.succeeded();
                work.succeed(labels, scores[i]);
            }
        }
    }

    private static int firstNotFinite(float[] scores) {
        for (int i = 0; i < scores.length; i++) {
            if (!Float.isFinite(scores[i])) {
                return i;
            }
        }
        return -1;
    }

    /** The images of a batch that came with the same supplier. */
    private static final class Group<L extends LabelVectors> {
        private final Supplier<L> supplier;
        private final List<Work<L>> members = new ArrayList<>();

        Group(Supplier<L> supplier) {
            this.supplier = supplier;
        }

        @SuppressWarnings("unchecked") // the same supplier gives the same type
        void add(Work<?> work) {
            members.add((Work<L>) work);
        }
    }

    private static List<Group<?>> groups(List<Work<?>> batch) {
        IdentityHashMap<Supplier<?>, Group<?>> bySupplier = new IdentityHashMap<>();
        List<Group<?>> groups = new ArrayList<>();
        for (Work<?> work : batch) {
            bySupplier
                    .computeIfAbsent(work.supplier, supplier -> {
                        Group<?> group = new Group<>(work.supplier);
                        groups.add(group);
                        return group;
                    })
                    .add(work);
        }
        return groups;
    }

    /** An attempt has failed. Called in a stage. */
    private void fail(Work<?> work, ImageException failure) {
        if (failure.reason().retryable() && work.attempts() < retry.maxAttempts() && !closed) {
            long wait = Math.max(
                    backoff.nanos(work.attempts()),
                    failure.retryAfter().map(Duration::toNanos).orElse(0L));
            long spent = alarms.nanoTime() - work.begunAt();
            if (wait < retry.deadline().toNanos() - spent) {
                tryAgain(work, failure, wait);
                return;
            }
        }
        giveUp(work, failure.after(work.attempts()));
    }

    private void tryAgain(Work<?> work, ImageException failure, long waitNanos) {
        LOG.debug(
                "{}: attempt {} failed, the next follows in {} ms: {}",
                work.request.name(),
                work.attempts(),
                TimeUnit.NANOSECONDS.toMillis(waitNanos),
                failure.getMessage());
        meters.retried(failure.reason());
        if (work.startOver(failure)) {
            queue.landed(work);
            work.alarm(() -> alarms.schedule(() -> comeBack(work), waitNanos));
            dispatch();
        }
    }

    /** A backoff has ended. */
    private void comeBack(Work<?> work) {
        long now = alarms.nanoTime();
        work.lap(now);
        work.alarm(() -> alarms.schedule(() -> expire(work), retry.deadline().toNanos() - (now - work.begunAt())));
        queue.add(work, now);
        dispatch();
    }

    /** An image's deadline has passed; that counts if it waits for another attempt. */
    private void expire(Work<?> work) {
        if (queue.remove(work) && work.enter()) {
            giveUp(work, work.lastFailure().after(work.attempts()));
        }
    }

    private void giveUp(Work<?> work, ImageException failure) {
        meters.failed(failure.reason());
        work.fail(failure);
    }

    private static ImageException failure(Throwable e, String stage, Work<?> work) {
        if (e instanceof ImageException known) {
            return known;
        }
        if (e instanceof InterruptedException) {
            // only closing interrupts, and has cancelled the future before
            return new ImageException(FailureReason.MODEL_ERROR, "the runtime was closed while " + stage, e);
        }
        LOG.error("{}: {} failed unexpectedly", work.request.name(), stage, e);
        return new ImageException(FailureReason.MODEL_ERROR, "%s failed unexpectedly: %s".formatted(stage, e), e);
    }

    private static ThreadPoolExecutor pool(String name, int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadFactory factory = task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(threads, threads, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
