/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.model.DeviceState;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.KnownImage;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.Priority;
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
import java.util.concurrent.CountDownLatch;
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
 * Takes images through fetch, decode and inference. All callers share it, so that batches fill from all of them. An
 * image whose failure may pass is tried again from the start, after a {@link Backoff}.
 *
 * <p><i>Threading notes.</i>
 *
 * <ul>
 *   <li>{@link #trySubmit} may be called from any thread and never blocks: it accepts an image if there is room, and
 *       otherwise refuses it.
 *   <li>So may {@link #tryScore}. Accepted jobs wait in the {@link ModelQueue} and are done part by part, so that a
 *       fresh image waits for one part and not for the whole job.
 *   <li>Accepted images wait for their turn in the {@link FetchQueue}, without a thread.
 *   <li>Fetch threads hand images to decode threads, which hand them through the {@link ModelQueue} to the inference
 *       threads, one for each {@link Device}: a batch goes to whichever is free. These queues have no limit of their own; the fetch queue limits the images in all of them together.
 *   <li>A thread of {@link Alarms} ends backoffs.
 *   <li>Decode threads wait for one of a fixed number of pixel buffers, so decoding runs at most a batch ahead of the
 *       devices, besides what they work on.
 *   <li>A device that fails gets no batches until its {@link DeviceWorker} finds that it works again. Its images are
 *       tried again, like others whose failure may pass.
 *   <li>Futures complete on the thread of the stage that ended the image.
 *   <li>Whatever a stage throws, including errors, fails its image or its batch; it ends no thread and leaves no future
 *       incomplete.
 * </ul>
 */
public final class ScoringPipeline implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ScoringPipeline.class);
    private static final long JOIN_SECONDS = 60;
    private static final double NANOS_PER_SECOND = 1e9;
    /** How many batches of fetched images may wait for the model, besides one for each device: it need not wait. */
    private static final int BATCHES_AHEAD = 2;
    /** How many images to score again are accepted at a time. Their features take the callers' memory. */
    private static final int MOST_RESCORED = 2048;

    private final Stages stages;
    private final int maxAccepted;
    private final Semaphore room;
    private final FetchQueue queue;
    private final RetryOptions retry;
    private final Backoff backoff;
    private final Alarms alarms;
    private final ThreadPoolExecutor fetchPool;
    private final ThreadPoolExecutor decodePool;
    private final ModelQueue<ImageJob<?>, Rescoring> modelQueue;
    private final FeatureCache cache;
    private final int cachedImages;
    private final BlockingQueue<ByteBuffer> pixelBuffers;
    private final List<DeviceWorker> workers;
    private final List<Thread> inference;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Set<ImageJob<?>> accepted = ConcurrentHashMap.newKeySet();
    private final Semaphore rescoringRoom = new Semaphore(MOST_RESCORED);
    private final Set<Rescoring> rescorings = ConcurrentHashMap.newKeySet();
    private final PipelineMeters meters;
    private volatile boolean closed;

    /**
     * Starts a pipeline, which owns its threads but not {@code stages}. It registers its metrics in {@code registry}.
     */
    public ScoringPipeline(Stages stages, PipelineOptions options, MeterRegistry registry) {
        this(stages, options, registry, Alarms.ofSystem(), new SplittableRandom());
    }

    /** The same with the caller's clock and jitter; closing the pipeline closes {@code alarms}. */
    ScoringPipeline(
            Stages stages, PipelineOptions options, MeterRegistry registry, Alarms alarms, RandomGenerator jitter) {
        this.stages = stages;
        this.maxAccepted = options.maxAccepted();
        this.room = new Semaphore(maxAccepted);
        this.retry = options.retry();
        List<Device> devices = stages.devices();
        int ahead = (BATCHES_AHEAD + devices.size()) * Math.max(options.batchSize(), options.decodeThreads());
        this.queue = new FetchQueue(options.fetchThreads(), options.maxInFlight(), ahead, retry.deadline());
        this.backoff = new Backoff(retry, jitter);
        this.alarms = alarms;
        this.meters = new PipelineMeters(registry);
        measure(registry);
        this.fetchPool = pool("tagstream-fetch", options.fetchThreads());
        this.decodePool = pool("tagstream-decode", options.decodeThreads());
        this.modelQueue = new ModelQueue<>(options.batchSize(), options.batchWait(), queue::inFlight);
        this.cachedImages = options.cachedImages();
        this.cache = new FeatureCache(cachedImages);
        int buffers = (1 + devices.size()) * options.batchSize() + options.decodeThreads();
        this.pixelBuffers = new ArrayBlockingQueue<>(buffers);
        for (int i = 0; i < buffers; i++) {
            pixelBuffers.add(ByteBuffer.allocateDirect(stages.pixelBytes()));
        }
        List<String> names = devices.stream().map(Device::name).distinct().toList();
        this.workers = devices.stream()
                .map(device -> new DeviceWorker(device, names.size() > 1, closing, registry))
                .toList();
        names.forEach(name -> PipelineMetric.DEVICE_FAILED.gauge(
                registry, this, pipeline -> pipeline.failure(name).isPresent() ? 1 : 0, name));
        List<Thread> threads = new ArrayList<>();
        for (DeviceWorker worker : workers) {
            String name = workers.size() == 1 ? "tagstream-inference" : "tagstream-inference-" + (threads.size() + 1);
            Thread thread = new Thread(() -> infer(worker), name);
            thread.setDaemon(true);
            threads.add(thread);
        }
        this.inference = List.copyOf(threads);
        inference.forEach(Thread::start);
    }

    /** See {@link io.tagstream.model.ModelRuntime#isSaturated}. */
    public boolean isSaturated() {
        return modelQueue.holdsBatch();
    }

    /** See {@link io.tagstream.model.ModelRuntime#trySubmit}. */
    @SuppressWarnings("FutureReturnValueIgnored") // nobody needs the callback's result
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        if (!room.tryAcquire()) {
            return Optional.empty();
        }
        ImageJob<L> job = new ImageJob<>(request, labels, stages.source(request), alarms.nanoTime(), this::ended);
        accepted.add(job);
        job.future.whenComplete((scores, failure) -> {
            accepted.remove(job);
            job.endIfWaiting();
        });
        queue.add(job, job.submittedAt);
        dispatch();
        if (closed) {
            job.future.cancel(false);
        }
        return Optional.of(job.future);
    }

    /**
     * See {@link io.tagstream.model.ModelRuntime#tryScore}. A group that is larger than all of the room is accepted
     * when all of it is free.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // nobody needs the callback's result
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("there must be at least one image to score again");
        }
        int taken = Math.min(images.size(), MOST_RESCORED);
        if (!rescoringRoom.tryAcquire(taken)) {
            return Optional.empty();
        }
        Rescoring job = new Rescoring(images, labels, priority, () -> rescoringRoom.release(taken));
        rescorings.add(job);
        job.future.whenComplete((scores, failure) -> {
            rescorings.remove(job);
            modelQueue.removeJob(job, priority);
            job.end();
        });
        Optional<ImageException> wrong = wrongSize(images);
        if (wrong.isPresent()) {
            job.fail(wrong.get());
        } else if (!modelQueue.addJob(job, priority) || closed) {
            job.future.cancel(false);
        }
        return Optional.of(job.future);
    }

    private Optional<ImageException> wrongSize(List<ImageFeatures> images) {
        int size = stages.featureBytes();
        return images.stream()
                .map(image -> image.bytes().length)
                .filter(length -> length != size)
                .findFirst()
                .map(length -> new ImageException(
                        FailureReason.MODEL_ERROR,
                        "features of %d bytes are not this model's, which have %d; read the image again"
                                .formatted(length, size)));
    }

    /** Hands the images that may be fetched now to the fetch threads. */
    private void dispatch() {
        while (!closed) {
            Optional<ImageJob<?>> next = queue.poll(alarms.nanoTime());
            if (next.isEmpty()) {
                return;
            }
            ImageJob<?> job = next.get();
            try {
                fetchPool.execute(() -> fetch(job));
            } catch (RejectedExecutionException e) {
                job.future.cancel(false);
            }
        }
    }

    /** An image has freed what it held, and its future is about to complete. */
    private void ended(ImageJob<?> job) {
        queue.remove(job);
        queue.landed(job);
        room.release();
        dispatch();
    }

    /** Each device, once, and whether it works. */
    public List<DeviceState> devices() {
        return workers.stream()
                .map(worker -> worker.device().name())
                .distinct()
                .map(name -> new DeviceState(name, failure(name)))
                .toList();
    }

    private Optional<DeviceState.Failure> failure(String device) {
        return workers.stream()
                .map(DeviceWorker::state)
                .filter(state -> state.name().equals(device))
                .flatMap(state -> state.failure().stream())
                .findFirst();
    }

    /** The number of images accepted and not completed. */
    int accepted() {
        return maxAccepted - room.availablePermits();
    }

    /** The number of images accepted to be scored again and not yet scored. */
    int acceptedAgain() {
        return MOST_RESCORED - rescoringRoom.availablePermits();
    }

    private void measure(MeterRegistry registry) {
        PipelineMetric.RESCORE_WAITING.gauge(registry, this, ScoringPipeline::acceptedAgain);
        PipelineMetric.ACCEPTED.gauge(registry, this, ScoringPipeline::accepted);
        PipelineMetric.IN_FLIGHT.gauge(registry, queue, FetchQueue::inFlight);
        PipelineMetric.QUEUE_SIZE.gauge(registry, queue, FetchQueue::waiting);
        PipelineMetric.QUEUE_AGE.gauge(
                registry, queue, measured -> measured.oldestNanos(alarms.nanoTime()) / NANOS_PER_SECOND);
        PipelineMetric.LIMITED_SOURCES.gauge(registry, queue, FetchQueue::limitedSources);
        PipelineMetric.LONGEST_SOURCE_QUEUE.gauge(registry, queue, FetchQueue::longestSourceQueue);
    }

    /**
     * Cancels the images in flight and joins the threads.
     *
     * @throws IllegalStateException if a thread does not end; what the stages use must not be freed then
     */
    @Override
    public void close() {
        closed = true;
        closing.countDown();
        alarms.close();
        for (ImageJob<?> job : accepted) {
            job.future.cancel(false);
        }
        for (Rescoring job : rescorings) {
            job.future.cancel(false);
        }
        modelQueue.close();
        fetchPool.shutdownNow();
        decodePool.shutdownNow();
        boolean interrupted = false;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(JOIN_SECONDS);
        while (true) {
            try {
                join(deadline);
                break;
            } catch (InterruptedException e) {
                // to give up now would free memory that a stage still uses
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
        for (Thread thread : inference) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            ended &= !thread.isAlive();
        }
        if (!ended) {
            throw new IllegalStateException(
                    "a stage did not end within %d s; its native memory stays allocated".formatted(JOIN_SECONDS));
        }
    }

    private void fetch(ImageJob<?> job) {
        if (!job.enter()) {
            queue.notAsked(job);
            dispatch();
            return;
        }
        long start = alarms.nanoTime();
        long left = job.attempts() == 0
                ? retry.deadline().toNanos()
                : retry.deadline().toNanos() - (start - job.begunAt());
        if (left <= 0) {
            queue.notAsked(job);
            giveUp(job, job.lastFailure().after(job.attempts()));
            return;
        }
        job.begin(start);
        meters.stage(Stage.QUEUE, job.lap(start));
        try {
            job.fetched(stages.fetch(job.request, Duration.ofNanos(left)));
            meters.stage(Stage.FETCH, job.lap(alarms.nanoTime()));
        } catch (Throwable e) {
            ImageException failure = failure(e, "fetching", job);
            meters.stage(Stage.FETCH, job.lap(alarms.nanoTime()));
            // free the slot before the image fails: whoever gets the outcome sees the source's new state
            List<ImageJob<?>> hopeless = List.of();
            if (failure.sourceOverloaded()) {
                hopeless = overloaded(job, failure, start);
            } else {
                queue.answered(job, alarms.nanoTime());
            }
            fail(job, failure);
            for (ImageJob<?> other : hopeless) {
                if (other.enter()) {
                    giveUp(other, queue.unserved(other));
                }
            }
            dispatch();
            return;
        }
        queue.answered(job, alarms.nanoTime());
        Optional<KnownImage> known = known(job);
        known.ifPresent(job::reuse);
        dispatch();
        if (known.isPresent()) {
            meters.reused();
            await(job);
        } else if (job.leave()) {
            try {
                decodePool.execute(() -> decode(job));
            } catch (RejectedExecutionException e) {
                job.future.cancel(false);
            }
        }
    }

    /** What is known about a fetched image, unless it did not help in the attempt before. */
    private Optional<KnownImage> known(ImageJob<?> job) {
        if (job.attempts() > 1 && job.lastFailure().reason() == FailureReason.MODEL_ERROR) {
            return Optional.empty();
        }
        String sha256 = job.encoded().sha256();
        return job.request
                .known()
                .filter(known ->
                        known.sha256().equals(sha256) && known.features().bytes().length == stages.featureBytes())
                .or(() -> cache.get(sha256));
    }

    /** Leaves the stage and waits for the model. */
    private void await(ImageJob<?> job) {
        if (job.leave() && !modelQueue.add(job, job.request.priority())) {
            job.future.cancel(false);
        }
    }

    private List<ImageJob<?>> overloaded(ImageJob<?> job, ImageException failure, long begunAt) {
        Duration asked = failure.retryAfter().orElse(Duration.ZERO);
        Duration pause = asked.compareTo(retry.maxBackoff()) < 0 ? asked : retry.maxBackoff();
        List<ImageJob<?>> hopeless = queue.overloaded(job, begunAt, alarms.nanoTime(), pause);
        if (!pause.isZero()) {
            alarms.schedule(
                    () -> {
                        queue.resume(job.source);
                        dispatch();
                    },
                    pause.toNanos());
        }
        return hopeless;
    }

    private void decode(ImageJob<?> job) {
        if (!job.enter()) {
            return;
        }
        try {
            ByteBuffer pixels = job.takePixels(pixelBuffers);
            meters.stage(Stage.DECODE_WAIT, job.lap(alarms.nanoTime()));
            try {
                job.decoded(stages.decode(job.encoded(), pixels));
            } finally {
                meters.stage(Stage.DECODE, job.lap(alarms.nanoTime()));
            }
        } catch (Throwable e) {
            fail(job, failure(e, "decoding", job));
            return;
        }
        await(job);
    }

    private void infer(DeviceWorker worker) {
        while (!modelQueue.isClosed()) {
            try {
                Optional<Throwable> failure = takeTurn(worker, modelQueue.take());
                if (failure.isPresent()) {
                    worker.failed(failure.get());
                } else {
                    worker.succeeded();
                }
            } catch (InterruptedException e) {
                LOG.warn("the inference thread was interrupted; it continues", e);
            }
        }
    }

    /** Returns what failed in the model. */
    private Optional<Throwable> takeTurn(DeviceWorker worker, ModelQueue.Turn<ImageJob<?>, Rescoring> turn) {
        if (!turn.job().isEmpty()) {
            return rescorePart(worker, turn.job().get(0));
        }
        try {
            List<ImageJob<?>> batch = new ArrayList<>(turn.batch());
            batch.removeIf(job -> !job.enter());
            return batch.isEmpty() ? Optional.empty() : inferBatch(worker, batch);
        } finally {
            modelQueue.done(turn.batch().size());
        }
    }

    private Optional<Throwable> inferBatch(DeviceWorker worker, List<ImageJob<?>> batch) {
        long start = alarms.nanoTime();
        batch.forEach(job -> meters.stage(Stage.BATCH_WAIT, job.lap(start)));
        List<ImageJob<?>> toEncode =
                batch.stream().filter(job -> job.features().isEmpty()).toList();
        Optional<Throwable> failure = toEncode.isEmpty() ? Optional.empty() : encode(worker, toEncode, start);
        // images that could not be encoded have failed
        for (Group<?> group :
                groups(batch.stream().filter(job -> job.features().isPresent()).toList())) {
            Optional<Throwable> alsoFailed = score(worker.device(), group);
            failure = failure.or(() -> alsoFailed);
        }
        return failure;
    }

    private Optional<Throwable> encode(DeviceWorker worker, List<ImageJob<?>> batch, long start) {
        List<ImageFeatures> features;
        try {
            worker.device().load(batch.stream().map(ImageJob::pixels).toList());
            batch.forEach(ImageJob::releasePixels);
            features = worker.device().encode(batch.size());
        } catch (Throwable e) {
            batch.forEach(job -> fail(job, failure(e, "inference", job)));
            return Optional.of(e);
        }
        worker.encoded(batch.size());
        // before any of the futures completes: whoever gets an outcome finds it counted
        meters.encoded(batch.size(), alarms.nanoTime() - start);
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).encodedAs(features.get(i));
        }
        return Optional.empty();
    }

    /** Scores the next part of a job. The rest follows when nothing more urgent waits. */
    private Optional<Throwable> rescorePart(DeviceWorker worker, Rescoring job) {
        if (job.future.isDone()) {
            return Optional.empty();
        }
        long start = alarms.nanoTime();
        float[][] scores;
        try {
            scores = worker.device().score(job.part(stages.imagesPerPart(job.labels)), job.labels);
        } catch (Throwable e) {
            ImageException failure = failure(e, "scoring", "images to score again");
            // another device may do it
            if (job.mayTryAgain() && !closed) {
                putBack(job);
            } else {
                job.fail(failure);
            }
            return Optional.of(e);
        }
        meters.rescored(scores.length, alarms.nanoTime() - start);
        for (float[] image : scores) {
            Optional<ImageException> failure = notFinite(image);
            if (failure.isPresent()) {
                job.fail(failure.get());
                return Optional.empty();
            }
        }
        job.add(scores);
        if (!job.isComplete()) {
            putBack(job);
        }
        return Optional.empty();
    }

    private void putBack(Rescoring job) {
        modelQueue.putBack(job, job.priority);
        if (job.future.isDone()) {
            modelQueue.removeJob(job, job.priority); // it was cancelled while it was not in the queue
        }
    }

    private <L extends LabelVectors> Optional<Throwable> score(Device device, Group<L> group) {
        L labels;
        float[][] scores;
        long start = alarms.nanoTime();
        try {
            labels = group.supplier.get();
        } catch (Throwable e) {
            group.members.forEach(job -> fail(job, failure(e, "scoring", job)));
            return Optional.empty();
        }
        try {
            scores = device.score(
                    group.members.stream()
                            .map(job -> job.features().orElseThrow())
                            .toList(),
                    labels);
        } catch (Throwable e) {
            group.members.forEach(job -> fail(job, failure(e, "scoring", job)));
            return Optional.of(e);
        }
        long end = alarms.nanoTime();
        meters.scored(end - start);
        for (int i = 0; i < scores.length; i++) {
            ImageJob<L> job = group.members.get(i);
            meters.stage(Stage.MODEL, job.lap(end));
            Optional<ImageException> failure = notFinite(scores[i]);
            if (failure.isPresent()) {
                fail(job, failure.get());
            } else {
                meters.succeeded();
                if (cachedImages > 0) {
                    cache.put(job.asKnown());
                }
                job.succeed(labels, scores[i]);
            }
        }
        return Optional.empty();
    }

    private static Optional<ImageException> notFinite(float[] scores) {
        for (int i = 0; i < scores.length; i++) {
            if (!Float.isFinite(scores[i])) {
                return Optional.of(new ImageException(
                        FailureReason.MODEL_ERROR,
                        "the model gave label number %d the score %s".formatted(i, scores[i])));
            }
        }
        return Optional.empty();
    }

    /** The images of a batch that share a supplier of labels. */
    private static final class Group<L extends LabelVectors> {
        private final Supplier<L> supplier;
        private final List<ImageJob<L>> members = new ArrayList<>();

        Group(Supplier<L> supplier) {
            this.supplier = supplier;
        }

        @SuppressWarnings("unchecked") // one supplier supplies one type
        void add(ImageJob<?> job) {
            members.add((ImageJob<L>) job);
        }
    }

    private static List<Group<?>> groups(List<ImageJob<?>> batch) {
        IdentityHashMap<Supplier<?>, Group<?>> bySupplier = new IdentityHashMap<>();
        List<Group<?>> groups = new ArrayList<>();
        for (ImageJob<?> job : batch) {
            bySupplier
                    .computeIfAbsent(job.supplier, supplier -> {
                        Group<?> group = new Group<>(job.supplier);
                        groups.add(group);
                        return group;
                    })
                    .add(job);
        }
        return groups;
    }

    /** Handles a failed attempt, in a stage. */
    private void fail(ImageJob<?> job, ImageException failure) {
        if (failure.reason().retryable() && job.attempts() < retry.maxAttempts() && !closed) {
            long wait = Math.max(
                    backoff.nanos(job.attempts()),
                    failure.retryAfter().map(Duration::toNanos).orElse(0L));
            long spent = alarms.nanoTime() - job.begunAt();
            if (wait < retry.deadline().toNanos() - spent) {
                tryAgain(job, failure, wait);
                return;
            }
        }
        giveUp(job, failure.after(job.attempts()));
    }

    private void tryAgain(ImageJob<?> job, ImageException failure, long waitNanos) {
        LOG.debug(
                "{}: attempt {} failed, the next one follows in {} ms: {}",
                job.request.name(),
                job.attempts(),
                TimeUnit.NANOSECONDS.toMillis(waitNanos),
                failure.getMessage());
        meters.retried(failure.reason());
        if (job.startOver(failure)) {
            queue.landed(job);
            job.alarm(() -> alarms.schedule(() -> comeBack(job), waitNanos));
            dispatch();
        }
    }

    /** A backoff has ended. */
    private void comeBack(ImageJob<?> job) {
        long now = alarms.nanoTime();
        job.lap(now);
        job.alarm(() -> alarms.schedule(() -> expire(job), retry.deadline().toNanos() - (now - job.begunAt())));
        queue.add(job, now);
        dispatch();
    }

    /** An image's deadline has passed, which matters only if it waits for another attempt. */
    private void expire(ImageJob<?> job) {
        if (queue.remove(job) && job.enter()) {
            giveUp(job, job.lastFailure().after(job.attempts()));
        }
    }

    private void giveUp(ImageJob<?> job, ImageException failure) {
        meters.failed(failure.reason());
        job.fail(failure);
    }

    private static ImageException failure(Throwable e, String stage, ImageJob<?> job) {
        return failure(e, stage, job.request.name());
    }

    private static ImageException failure(Throwable e, String stage, String name) {
        if (e instanceof ImageException known) {
            return known;
        }
        if (e instanceof InterruptedException) {
            // only closing interrupts, and it has cancelled the future already
            return new ImageException(FailureReason.MODEL_ERROR, "the runtime was closed while " + stage, e);
        }
        LOG.error("{}: {} failed unexpectedly", name, stage, e);
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
