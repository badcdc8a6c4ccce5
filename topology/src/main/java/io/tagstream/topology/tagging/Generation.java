/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.Refusal;
import io.tagstream.avro.state.TaskProgress;
import io.tagstream.avro.state.UndecodedImage;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.Priority;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.BundleGate;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.tagging.Outcome.Output;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import io.tagstream.topology.waits.Progress;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a tagging task, from {@link TaggingProcessor#init} to {@link TaggingProcessor#close}: the images that it
 * owes an outcome, and what becomes of them. {@link TaggingProcessor} says how an image passes, and why.
 *
 * <p><i>Threading notes.</i> All methods are called by the task's stream thread, but {@link #complete}: the runtime's
 * threads call it when a future completes, and touch nothing else here.
 */
final class Generation {
    private static final Logger log = LoggerFactory.getLogger(Generation.class);
    /** The time the stream thread gives to writing known images again before it turns to its other work. */
    private static final long REWRITING_NANOS = 50_000_000;
    /** The same while images await their outcome. */
    private static final long SHORT_REWRITING_NANOS = 5_000_000;

    private static final String PROGRESS_KEY = "progress";

    private final TaggingContext shared;
    private final ProcessorContext<Object, byte[]> context;
    private final KeyValueStore<Long, byte[]> pending;
    private final KeyValueStore<String, TaskProgress> progressStore;
    private final KnownImages known;
    private final Sweeper sweeper;
    private final Rewriting rewriting;

    /** Every image that is owed an outcome, by id, oldest first. */
    private final Map<String, Deque<OwedImage>> byImage = new HashMap<>();

    /** Images whose turn has come but for which the runtime has had no room yet. */
    private final Deque<OwedImage> ready = new ArrayDeque<>();

    private final Set<OwedImage> inFlight = new HashSet<>();

    /** Images scored under an older vocabulary than the task's, for which the runtime has had no room yet. */
    private final Deque<Completion> outdated = new ArrayDeque<>();

    /** When each image that is owed an outcome was accepted, by its place. */
    private final SortedMap<Long, Long> owedSince = new TreeMap<>();

    /** Images whose turn has come but which cannot be read yet. */
    private final LateDecoding decoding;

    private final TaggingMeters.Backlog backlog;
    private final TopicPartition input;
    private final Progress.Task task;

    /** Entries of the pending store that cannot be read, by their places, with the reasons. */
    private final Map<Long, SerializationException> unreadable = new LinkedHashMap<>();

    /** Written by the runtime's threads, emptied by the punctuator. */
    private final Queue<Completion> completed = new ConcurrentLinkedQueue<>();

    private long owedBytes;

    private TaskProgress progress;
    private long nextSequence;
    private boolean busy;

    /** Whether something was forwarded in this turn. */
    private boolean forwarded;

    /** Runs while an image is owed an outcome: every punctuation makes Kafka Streams commit, even when idle. */
    private Cancellable punctuator;

    /** As long as the punctuator runs. */
    private Pace.Work work;

    /** Checks whether the vocabulary has changed. */
    private final Cancellable vocabularyCheck;

    private final PromptCommits.OfTask commits;

    Generation(ProcessorContext<Object, byte[]> context, TaggingContext shared) {
        this.shared = shared;
        this.context = context;
        this.pending = context.getStateStore(TaggingTopology.PENDING_STORE);
        this.progressStore = context.getStateStore(TaggingTopology.TASK_PROGRESS_STORE);
        this.known = new KnownImages(context, shared);
        this.progress = KnownImages.readable(progressStore, PROGRESS_KEY)
                .orElseGet(() -> new TaskProgress(known.highestEpoch(), 0L));
        this.backlog = shared.meters().backlog();
        this.input = new TopicPartition(
                TaggingTopology.taggingInput(shared.config(), context.applicationId()),
                context.taskId().partition());
        this.task = shared.progress().task(input);
        this.decoding = new LateDecoding(shared);
        this.commits = shared.commits().of(context);
        SweptTask itself = new SweptTask();
        this.sweeper = new Sweeper(shared, known, itself);
        this.rewriting = new Rewriting(shared, context.applicationId(), known, itself);
        // seldom, since every punctuation makes Kafka Streams commit
        this.vocabularyCheck = context.schedule(shared.config().sweepCheck(), PunctuationType.WALL_CLOCK_TIME, now -> {
            if (known.untidy()
                    || rewriting.due()
                    || newest().filter(sweeper::due).isPresent()) {
                punctuate();
            }
        });
    }

    /** Resumes the images in the pending store. */
    void resume() {
        int resumed = 0;
        try (KeyValueIterator<Long, byte[]> entries = pending.all()) {
            while (entries.hasNext()) {
                KeyValue<Long, byte[]> entry = entries.next();
                nextSequence = entry.key + 1;
                try {
                    enqueue(shared.owed(entry.key, entry.value));
                    resumed++;
                } catch (SerializationException e) {
                    unreadable.put(entry.key, e);
                    punctuate();
                }
            }
        }
        shared.meters().restored(resumed);
        if (resumed > 0) {
            log.info("Task {} resumes {} pending images", context.taskId(), resumed);
        }
        newest(); // a task that has to wait shows it at once, with or without images
        submitReady();
    }

    void accept(Record<String, byte[]> accepted) {
        OwedImage owed;
        try {
            owed = shared.owed(nextSequence, accepted.value());
        } catch (SerializationException e) {
            RecordMetadata metadata = context.recordMetadata().orElseThrow();
            log.error("Cannot read the record at {}; it becomes a dead letter", metadata, e);
            byte[] key = accepted.key() == null ? null : accepted.key().getBytes(StandardCharsets.UTF_8);
            context.forward(
                    DeadLetters.of(accepted.withKey(key), metadata, e, shared.limit()),
                    TaggingTopology.TAGGING_DEAD_LETTERS_SINK);
            return;
        }
        nextSequence++;
        pending.put(owed.sequence(), accepted.value());
        shared.meters().accepted(millisSince(owed));
        enqueue(owed);
        submitReady();
        if (owesTooMuch()) {
            shared.inflow().hold(input);
        }
    }

    private boolean owesTooMuch() {
        return owedSince.size() >= shared.config().getInt(TagstreamConfig.TASK_PENDING_MAX)
                || owedBytes >= shared.config().getLong(TagstreamConfig.TASK_PENDING_MAX_BYTES);
    }

    private void punctuate() {
        if (punctuator == null) {
            work = shared.pace().begin();
            punctuator = context.schedule(
                    shared.config().taskForward(), PunctuationType.WALL_CLOCK_TIME, now -> forwardCompleted());
        }
    }

    private void enqueue(OwedImage owed) {
        punctuate();
        owedSince.put(owed.sequence(), owed.acceptedAt());
        owedBytes += owed.bytes();
        measureBacklog();
        Deque<OwedImage> sameImage = byImage.computeIfAbsent(owed.imageId(), id -> new ArrayDeque<>(1));
        sameImage.add(owed);
        if (sameImage.size() == 1) {
            takeTurn(owed);
        }
    }

    private void takeTurn(OwedImage owed) {
        if (!owed.isDecoded()) {
            decoding.add(owed);
        } else if (owed.image().getReference() == null || owed.image().getRefusal() != null) {
            complete(new Completion(owed, null, null)); // needs no model
        } else {
            ready.add(owed);
        }
    }

    /** Submits the images that are ready, as far as the runtime has room and the task may work. */
    private void submitReady() {
        if (!ready.isEmpty() && mayWork()) {
            int share = shared.fairShare();
            while (!ready.isEmpty() && inFlight.size() < share && submit(ready.peek())) {
                ready.remove();
            }
        }
        measureProgress();
        boolean nowBusy = !ready.isEmpty() || !inFlight.isEmpty();
        if (nowBusy != busy) {
            busy = nowBusy;
            shared.busy(busy);
        }
    }

    private boolean mayWork() {
        return newest().isPresent();
    }

    /** The vocabulary, if it is no older than the one that this task has worked with, and is for this model. */
    private Optional<VocabularySnapshot> newest() {
        Optional<VocabularySnapshot> snapshot = shared.vocabulary().snapshot();
        Optional<Wait> wait = snapshot.flatMap(this::refusal);
        int partition = context.taskId().partition();
        if (wait.isPresent()) {
            shared.waits().begin(partition, wait.get());
            return Optional.empty();
        }
        Optional<Wait> unread = decoding.unanswered()
                .map(why -> new Wait(
                        WaitReason.REGISTRY_AWAY,
                        "images whose schema is not known wait, and other images go on: " + why));
        unread.ifPresentOrElse(
                why -> shared.waits().begin(partition, why),
                () -> shared.waits().end(partition));
        return snapshot;
    }

    /** Why this task must not work with a vocabulary. */
    private Optional<Wait> refusal(VocabularySnapshot vocabulary) {
        long epoch = vocabulary.epoch();
        long revision = vocabulary.rules().getRevision();
        if (epoch < progress.getVocabularyEpoch() || revision < progress.getControlRevision()) {
            return Optional.of(new Wait(
                    WaitReason.VOCABULARY_BEHIND,
                    "its images were tagged under vocabulary epoch %d with control revision %d, which this instance has"
                                    .formatted(progress.getVocabularyEpoch(), progress.getControlRevision())
                            + " not read yet"));
        }
        return BundleGate.refusal(shared.bundle(), vocabulary.rules().getBundle());
    }

    private boolean submit(OwedImage owed) {
        ImageReference reference = owed.image().getReference();
        Optional<CompletableFuture<ImageScores<VocabularySnapshot>>> submitted;
        try {
            ImageRequest request = new ImageRequest(
                    reference.getUri(),
                    Optional.ofNullable(reference.getSha256()),
                    context.taskId(),
                    ImageName.of(owed.image()));
            submitted = shared.runtime()
                    .trySubmit(
                            known.find(owed.image().getImageId())
                                    .flatMap(image -> known.knownAs(owed.image().getImageId(), image))
                                    .map(request::knownAs)
                                    .orElse(request),
                            shared.labels());
        } catch (RuntimeException e) {
            complete(new Completion(owed, null, ScoringFailures.of(owed.image(), e)));
            return true;
        }
        if (submitted.isEmpty()) {
            return false;
        }
        owed.scoring(submitted.get());
        inFlight.add(owed);
        shared.meters().submitted(owed.lap());
        var unused = submitted.get().whenComplete((scores, thrown) -> {
            if (thrown == null) {
                complete(new Completion(owed, scores, null));
            } else if (!ScoringFailures.isCancellation(thrown)) {
                complete(new Completion(owed, null, ScoringFailures.of(owed.image(), thrown)));
            } // else the task or the runtime is closing: the entry stays pending
        });
        return true;
    }

    /** May be called from any thread. */
    private void complete(Completion completion) {
        completed.add(completion);
    }

    private void forwardCompleted() {
        unreadable.forEach(this::putAside);
        unreadable.clear();
        decoding.take().forEach(this::goOn);
        Completion completion = completed.poll();
        while (completion != null) {
            inFlight.remove(completion.owed());
            if (isOutdated(completion)) {
                outdated.add(completion);
            } else {
                settle(completion);
            }
            completion = completed.poll();
        }
        bringUpToDate();
        submitReady();
        known.tidy(isBusy(), context.currentSystemTimeMs());
        newest().ifPresent(sweeper::run);
        rewriting.run(shared.nanoTime() + (isBusy() ? SHORT_REWRITING_NANOS : REWRITING_NANOS));
        known.save();
        if (forwarded) {
            commits.ask();
        }
        forwarded = false;
        if (!owesTooMuch()) {
            shared.inflow().release(input);
        }
        if (byImage.isEmpty() && !sweeper.active() && !known.untidy() && !rewriting.due()) {
            rest();
        }
    }

    /** Whether images are being worked on. Those that wait for the schema registry do not count. */
    private boolean isBusy() {
        return byImage.size() > decoding.size();
    }

    /** An image waits for the schema registry no longer. */
    private void goOn(LateDecoding.Decoded decoded) {
        OwedImage owed = decoded.owed();
        if (decoded.refusal() == null) {
            owed.decoded(decoded.image());
            takeTurn(owed);
            return;
        }
        UndecodedImage undecoded = owed.undecoded();
        log.warn(
                "The record of {} is a dead letter: {}",
                ImageName.of(undecoded),
                decoded.refusal().toString());
        Headers headers = new RecordHeaders();
        undecoded.getHeaders().forEach(header -> headers.add(header.getKey(), Admission.bytes(header.getValue())));
        context.forward(
                DeadLetters.of(
                        new Record<>(
                                owed.imageId().getBytes(StandardCharsets.UTF_8),
                                Admission.bytes(undecoded.getValue()),
                                owed.timestamp(),
                                headers),
                        undecoded.getOrigin(),
                        decoded.refusal(),
                        shared.limit()),
                TaggingTopology.TAGGING_DEAD_LETTERS_SINK);
        owesNoLonger(owed);
    }

    private void rest() {
        if (punctuator != null) {
            punctuator.cancel();
            punctuator = null;
            work.end();
        }
    }

    /** Whether the task has worked with a newer vocabulary in the meantime. */
    private boolean isOutdated(Completion completion) {
        return completion.scores() != null && completion.scores().labels().epoch() < progress.getVocabularyEpoch();
    }

    /** Scores outdated images against the changes since, as far as the runtime has room. */
    private void bringUpToDate() {
        Optional<VocabularySnapshot> newest = newest();
        while (newest.isPresent() && !outdated.isEmpty() && bringUpToDate(outdated.peek(), newest.get())) {
            outdated.remove();
        }
    }

    private boolean bringUpToDate(Completion completion, VocabularySnapshot newest) {
        ImageScores<VocabularySnapshot> older = completion.scores();
        VocabularyDelta delta = shared.outcomes().delta(newest, older.labels().epoch());
        int[] labels = older.labels().selection().equals(newest.selection())
                ? delta.toDecode()
                : VocabularyDelta.everything(newest);
        float[] scores = delta.known(older);
        if (labels.length == 0) {
            complete(upToDate(completion, newest, scores));
            return true;
        }
        Optional<CompletableFuture<float[][]>> decoded = shared.runtime()
                .tryScore(
                        List.of(older.features()),
                        labels.length == newest.size() ? newest : newest.subset(labels),
                        Priority.FRESH);
        if (decoded.isEmpty()) {
            return false;
        }
        OwedImage owed = completion.owed();
        owed.scoring(decoded.get());
        inFlight.add(owed);
        var unused = decoded.get().whenComplete((changed, thrown) -> {
            if (thrown == null) {
                for (int i = 0; i < labels.length; i++) {
                    scores[labels[i]] = changed[0][i];
                }
                complete(upToDate(completion, newest, scores));
            } else if (!ScoringFailures.isCancellation(thrown)) {
                complete(new Completion(owed, null, ScoringFailures.of(owed.image(), thrown)));
            }
        });
        return true;
    }

    private Completion upToDate(Completion completion, VocabularySnapshot newest, float[] scores) {
        ImageScores<VocabularySnapshot> older = completion.scores();
        return new Completion(
                completion.owed(),
                new ImageScores<>(newest, scores, older.features(), older.sha256(), older.width(), older.height()),
                null,
                completion.waitedNanos());
    }

    private void settle(Completion completion) {
        OwedImage owed = completion.owed();
        PendingImage image = owed.image();
        Outcome outcome = outcome(completion);
        forward(image.getImageId(), outcome);
        learn(image.getImageId(), completion, outcome);
        measure(completion, outcome);
        owesNoLonger(owed);
    }

    /** What an image has come to is forwarded; the next with the same id takes its turn. */
    private void owesNoLonger(OwedImage owed) {
        pending.delete(owed.sequence());
        shared.progress().outcome(input);
        owedSince.remove(owed.sequence());
        owedBytes -= owed.bytes();
        measureBacklog();
        Deque<OwedImage> sameImage = byImage.get(owed.imageId());
        sameImage.remove(); // the image itself
        if (sameImage.isEmpty()) {
            byImage.remove(owed.imageId());
        } else {
            takeTurn(sameImage.peek());
        }
    }

    private void forward(String imageId, Outcome outcome) {
        forwarded = true;
        for (Output output : outcome.outputs()) {
            context.forward(
                    new Record<>(imageId, output.value(), context.currentSystemTimeMs(), outcome.headers()),
                    output.sink());
            if (output.sink().equals(TaggingTopology.TAGS_SINK)) {
                rewriting.wroteTags(imageId);
            }
        }
    }

    /** Stores what an outcome says about its image. */
    private void learn(String imageId, Completion completion, Outcome outcome) {
        if (!outcome.knowledge().changes()) {
            return;
        }
        Optional<ImageMeta> meta = outcome.knowledge().meta();
        if (meta.isEmpty()) {
            known.forget(imageId);
            return;
        }
        ImageScores<VocabularySnapshot> scores = completion.scores();
        known.read(imageId, meta.get(), known.find(imageId), scores.features(), context.currentSystemTimeMs());
        shared.meters().shadowTags(shared.outcomes().shadowTags(scores));
        advanceTo(scores.labels());
    }

    private void measure(Completion completion, Outcome outcome) {
        OwedImage owed = completion.owed();
        if (owed.wasSubmitted()) {
            shared.meters().completed(completion.waitedNanos());
        }
        shared.meters().forwarded(owed.lap(), millisSince(owed));
        if (outcome.failed()) {
            shared.meters().failed();
        } else if (outcome.tagged()) {
            shared.meters().tagged();
        } else {
            shared.meters().deleted();
        }
    }

    private void measureProgress() {
        task.now(owedSince.size(), ready.size(), inFlight.size());
        task.held(decoding.unanswered().isPresent());
    }

    private void measureBacklog() {
        backlog.now(owedSince.size(), owedSince.isEmpty() ? 0 : owedSince.get(owedSince.firstKey()));
        measureProgress();
    }

    /** The time since the timestamp of an image's record. */
    private long millisSince(OwedImage owed) {
        return context.currentSystemTimeMs() - owed.timestamp();
    }

    /** Computes and forwards nothing: an exception that the image is to blame for becomes its outcome. */
    private Outcome outcome(Completion completion) {
        PendingImage image = completion.owed().image();
        OutcomeFactory outcomes = shared.outcomes();
        try {
            if (completion.scores() != null) {
                return outcomes.tagged(image, completion.scores(), known.find(image.getImageId()), now());
            } else if (completion.failure() != null) {
                ImageException failure = completion.failure();
                log.debug("Failed: {}: {} {}", ImageName.of(image), failure.reason(), failure.getMessage());
                ImageFailureReason reason =
                        ImageFailureReason.valueOf(failure.reason().name());
                return outcomes.failed(image, reason, failure.getMessage(), failure.attempts(), now());
            } else if (image.getRefusal() != null) {
                Refusal refusal = image.getRefusal();
                return outcomes.failed(image, refusal.getReason(), refusal.getMessage(), 0, now());
            }
            return outcomes.deleted(image, known.find(image.getImageId()), now());
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.error("Cannot make an outcome of {}; it becomes a failure", ImageName.of(image), e);
            return outcomes.failed(image, ImageFailureReason.INTERNAL_ERROR, "Cannot make an outcome: " + e, 1, now());
        }
    }

    /** Notes which vocabulary, with its rules, the task has worked with. */
    private void advanceTo(VocabularySnapshot vocabulary) {
        TaskProgress now = new TaskProgress(
                Math.max(vocabulary.epoch(), progress.getVocabularyEpoch()),
                Math.max(vocabulary.rules().getRevision(), progress.getControlRevision()));
        if (!now.equals(progress)) {
            progress = now;
            progressStore.put(PROGRESS_KEY, progress);
        }
    }

    /** An unreadable entry names no image that an outcome could go to: it is kept as a dead letter. */
    private void putAside(long sequence, SerializationException reason) {
        log.error(
                "Task {} cannot read entry {} of its pending store; it becomes a dead letter",
                context.taskId(),
                sequence,
                reason);
        String changelog = TaggingTopology.changelog(context.applicationId(), TaggingTopology.PENDING_STORE);
        context.forward(
                DeadLetters.ofEntry(
                        pending.get(sequence),
                        changelog,
                        context.taskId().partition(),
                        context.currentSystemTimeMs(),
                        reason,
                        shared.limit()),
                TaggingTopology.TAGGING_DEAD_LETTERS_SINK);
        pending.delete(sequence);
    }

    private Instant now() {
        return Instant.ofEpochMilli(context.currentSystemTimeMs());
    }

    /** This task, as its sweeper sees it. */
    private final class SweptTask implements Rewriting.Task {
        @Override
        public TaskId id() {
            return context.taskId();
        }

        @Override
        public void emit(String imageId, Outcome outcome) {
            forward(imageId, outcome);
        }

        @Override
        public boolean isBusy() {
            return Generation.this.isBusy();
        }

        @Override
        public void advanceTo(VocabularySnapshot vocabulary) {
            Generation.this.advanceTo(vocabulary);
        }

        @Override
        public Instant now() {
            return Generation.this.now();
        }

        @Override
        public int writePending() {
            List<KeyValue<Long, byte[]>> entries = new ArrayList<>();
            try (KeyValueIterator<Long, byte[]> all = pending.all()) {
                all.forEachRemaining(entries::add);
            }
            entries.forEach(entry -> pending.put(entry.key, entry.value));
            return entries.size();
        }

        @Override
        public void writeProgress() {
            progressStore.put(PROGRESS_KEY, progress);
        }
    }

    void close() {
        rest();
        vocabularyCheck.cancel();
        sweeper.close();
        backlog.close();
        task.close();
        shared.waits().end(context.taskId().partition());
        shared.inflow().release(input);
        inFlight.forEach(OwedImage::cancel);
        commits.close();
        if (busy) {
            busy = false;
            shared.busy(false);
        }
    }

    /** What became of an image: either scores or a failure, or neither if it needed no model. */
    private record Completion(
            OwedImage owed, ImageScores<VocabularySnapshot> scores, ImageException failure, long waitedNanos) {
        /** Completes now. */
        Completion(OwedImage owed, ImageScores<VocabularySnapshot> scores, ImageException failure) {
            this(owed, scores, failure, owed.lap());
        }
    }
}
