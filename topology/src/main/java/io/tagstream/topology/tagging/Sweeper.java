/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.ImageMeta;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.Priority;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a task's known images follow the vocabulary and the model.
 *
 * <p><i>How a sweep goes.</i> It takes the images in order of id, a {@link Step} of them at a time. For each image,
 * {@link VocabularyDelta} says what must be decoded: usually the labels that changed, from kept features, as one group
 * of background work for the model; nothing if only thresholds, names or states changed; the whole image if no features
 * are kept or they belong to another model. The stream thread applies results, if the image is still the version that
 * they were computed for. The cursor advances to the last image before the first whose work has not finished. The
 * cursor is stored; after a crash, the work after it is done again, which changes nothing if it had been done before.
 *
 * <p><i>When the vocabulary changes during a sweep,</i> the sweep continues at its cursor for the newer vocabulary, and
 * later returns to the images that it has passed ({@link Coverage}).
 *
 * <p><i>Threading notes.</i> All methods are called by the task's stream thread. The runtime's threads touch only the
 * queues of finished work.
 */
final class Sweeper {
    private static final Logger log = LoggerFactory.getLogger(Sweeper.class);

    /** The number of images in a step: a group for the model, some milliseconds of its time. */
    private static final int STEP_IMAGES = 64;
    /** The same while fresh images await their outcome. */
    private static final int SMALL_STEP_IMAGES = 16;
    /** The most steps in progress: while one is scored the next is prepared, and a slow host holds up none. */
    private static final int MOST_STEPS = 32;
    /** The most groups that wait for the model, over all steps. */
    private static final int MOST_GROUPS = 4;
    /** The time the stream thread gives to a sweep before it turns to its other work, in nanoseconds. */
    private static final long TURN_NANOS = 50_000_000;
    /** The same while fresh images await their outcome: about half of the thread's time. */
    private static final long SHORT_TURN_NANOS = 5_000_000;

    /** What a sweep needs from the task. */
    interface Task {
        TaskId id();

        /** Writes an outcome for an image that no submission is waiting for. */
        void emit(String imageId, Outcome outcome);

        /** Whether fresh images await their outcome. */
        boolean isBusy();

        /** From now on the task works with nothing older than this. */
        void advanceTo(VocabularySnapshot vocabulary);

        Instant now();
    }

    private final TaggingContext shared;
    private final KnownImages known;
    private final Task task;
    private final Deque<Step> steps = new ArrayDeque<>();
    private final Deque<Group> unsubmitted = new ArrayDeque<>();
    private final List<Group> submitted = new ArrayList<>();
    private final Map<String, Reading> readings = new LinkedHashMap<>();
    private final Queue<Runnable> landed = new ConcurrentLinkedQueue<>();
    private final Deque<Scored> scored = new ArrayDeque<>();
    private final Map<Long, VocabularyDelta> deltas = new HashMap<>();

    /** The vocabulary that images follow now; null while there is nothing to do. */
    private VocabularySnapshot target;

    /** The last image that a step has taken. */
    private String frontier;

    private long stale;

    /** Images after one id and up to another. */
    private static final class Step {
        private final String after;
        private String upTo;
        private int images;
        private int open;

        Step(String after) {
            this.after = after;
        }
    }

    /** An image in a step that is to be scored again. */
    private record Item(Step step, String imageId, ImageMeta image, ImageFeatures features, VocabularyDelta delta) {}

    /** An item with its scores for the labels at certain places. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Scored(Item item, int[] labels, float[] scores) {
        /** These scores, together with those that are already known. */
        float[] all() {
            float[] all = item.delta.known(item.image);
            for (int label = 0; label < labels.length; label++) {
                all[labels[label]] = scores[label];
            }
            return all;
        }
    }

    /** Images to be scored against the same labels, which are given by their places. */
    private static final class Group {
        private final List<Item> items = new ArrayList<>();
        private final int[] labels;
        private CompletableFuture<float[][]> scores;

        Group(int[] labels) {
            this.labels = labels;
        }
    }

    /** An image that is being read again. It outlives its step if the vocabulary changes in the meantime. */
    private static final class Reading {
        private final String imageId;
        private final ImageMeta image;
        private Step step;
        private CompletableFuture<?> result;

        Reading(String imageId, ImageMeta image) {
            this.imageId = imageId;
            this.image = image;
        }

        /** Whether it is reading this version; another version may have been submitted since it began. */
        boolean isOf(ImageMeta version) {
            return image.getOrigin().equals(version.getOrigin());
        }
    }

    Sweeper(TaggingContext shared, KnownImages known, Task task) {
        this.shared = shared;
        this.known = known;
        this.task = task;
        report();
    }

    /** Whether there is something to do under this vocabulary. */
    boolean due(VocabularySnapshot vocabulary) {
        return !known.follow(vocabulary, scoring(vocabulary));
    }

    boolean active() {
        return target != null;
    }

    /** Applies finished work, and continues. */
    void run(VocabularySnapshot vocabulary) {
        boolean newer = target == null || target.epoch() != vocabulary.epoch();
        if (newer && due(vocabulary)) {
            begin(vocabulary); // before anything is applied: nothing older may follow
        }
        long end = shared.nanoTime() + (task.isBusy() ? SHORT_TURN_NANOS : TURN_NANOS);
        for (int left = landed.size(); left > 0; left--) {
            landed.remove().run();
        }
        while (!scored.isEmpty() && shared.nanoTime() < end) {
            Scored next = scored.remove();
            next.item.step.open--;
            apply(next.item.imageId, next.item.image, next.all());
        }
        advanceCursor();
        if (target != null && due(target)) {
            submit();
            while (shared.nanoTime() < end && mayTakeStep() && takeStep()) {
                submit();
            }
            advanceCursor();
        }
        if (target != null && !due(target)) {
            log.info("Task {}: {} known images follow vocabulary epoch {}", task.id(), known.images(), target.epoch());
            forget();
            target = null;
        }
        known.save();
        report();
    }

    private void begin(VocabularySnapshot vocabulary) {
        forget();
        target = vocabulary;
        known.beginSweep(scoring(vocabulary));
        frontier = known.cursor();
        task.advanceTo(vocabulary);
    }

    /**
     * Forgets what was prepared for another vocabulary. Images that are being read are useful whatever the vocabulary.
     */
    private void forget() {
        submitted.forEach(group -> group.scores.cancel(false));
        submitted.clear();
        unsubmitted.clear();
        scored.clear();
        steps.clear();
        deltas.clear();
        readings.values().forEach(reading -> reading.step = null);
    }

    private boolean mayTakeStep() {
        return unsubmitted.isEmpty()
                && submitted.size() + scored.size() / STEP_IMAGES < MOST_GROUPS
                && steps.size() < MOST_STEPS
                && readings.size() < mostReadings();
    }

    private int mostReadings() {
        return Math.max(1, shared.config().getInt(TagstreamConfig.SWEEP_READS_MAX));
    }

    /** Takes the next images; false if there are none for now. */
    private boolean takeStep() {
        if (!steps.isEmpty() && steps.getLast().upTo == null) {
            return false; // the rest lies before, and is known once the last steps have finished
        }
        Start start = start();
        if (start.round() && !steps.isEmpty()) {
            return false; // likewise, since the sweep wraps around here
        }
        int most = shared.sweepRate().take(task.isBusy() ? SMALL_STEP_IMAGES : STEP_IMAGES);
        if (most == 0) {
            return false;
        }
        Step step = new Step(start.after());
        KnownImages.Page page = known.after(step.after, most);
        boolean last = page.last();
        Map<List<Integer>, Group> groups = new LinkedHashMap<>();
        for (KeyValue<String, ImageMeta> image : page.images()) {
            if (readings.size() >= mostReadings()) {
                last = false;
                break;
            }
            step.upTo = image.key;
            step.images++;
            plan(step, image.key, image.value, groups);
        }
        if (step.images == 0 && !last) {
            return false;
        }
        if (last) {
            step.upTo = null;
        }
        frontier = step.upTo;
        steps.add(step);
        unsubmitted.addAll(groups.values());
        return true;
    }

    /**
     * Where a step begins.
     *
     * @param after the id before the step; null for the beginning
     * @param round whether the step lies before the frontier
     */
    private record Start(String after, boolean round) {}

    /** Starts from the frontier, and skips images that already follow the vocabulary. */
    private Start start() {
        String after = frontier;
        for (Coverage.Range range : known.coverage().ranges()) {
            boolean ahead = after == null || range.upTo() == null || Coverage.ID_ORDER.compare(after, range.upTo()) < 0;
            if (ahead && range.epoch() != target.epoch()) {
                return new Start(after, false);
            }
            if (ahead) {
                after = range.upTo();
            }
        }
        Coverage.Range first = known.coverage().ranges().get(0);
        return new Start(first.epoch() == target.epoch() ? first.upTo() : null, true);
    }

    private void plan(Step step, String id, ImageMeta image, Map<List<Integer>, Group> groups) {
        long epoch = known.epoch(id, image);
        boolean sameModel = image.getModel().equals(shared.outcomes().model());
        boolean sameSelection = image.getSelection().equals(target.selection().toString());
        if (image.getUri().isEmpty() || (sameModel && sameSelection && epoch >= target.epoch())) {
            return;
        }
        VocabularyDelta delta =
                deltas.computeIfAbsent(epoch, from -> shared.outcomes().delta(target, from));
        int[] labels = sameModel && sameSelection ? delta.toDecode(image) : VocabularyDelta.everything(target);
        if (labels.length == 0) {
            apply(id, image, delta.known(image));
            return;
        }
        Optional<ImageFeatures> features = known.features(id, image);
        step.open++;
        if (features.isPresent()) {
            List<Integer> key = Arrays.stream(labels).boxed().toList();
            groups.computeIfAbsent(key, labelsKey -> new Group(labels))
                    .items
                    .add(new Item(step, id, image, features.get(), delta));
        } else {
            read(step, id, image);
        }
    }

    private void submit() {
        while (!unsubmitted.isEmpty()) {
            Group group = unsubmitted.peek();
            LabelVectors labels = group.labels.length == target.size() ? target : target.subset(group.labels);
            Optional<CompletableFuture<float[][]>> scores = shared.runtime()
                    .tryScore(group.items.stream().map(Item::features).toList(), labels, Priority.BACKGROUND);
            if (scores.isEmpty()) {
                return;
            }
            unsubmitted.remove();
            group.scores = scores.get();
            submitted.add(group);
            VocabularySnapshot scoredFor = target;
            var unused = group.scores.whenComplete((result, thrown) -> {
                if (!ScoringFailures.isCancellation(thrown)) {
                    landed.add(() -> landed(group, scoredFor, result, thrown));
                }
            });
        }
    }

    private void landed(Group group, VocabularySnapshot scoredFor, float[][] scores, Throwable thrown) {
        if (!submitted.remove(group) || scoredFor != target) {
            return; // the vocabulary has changed in the meantime, and the images are still to come
        }
        for (int i = 0; i < group.items.size(); i++) {
            Item item = group.items.get(i);
            if (thrown == null) {
                scored.add(new Scored(item, group.labels, scores[i]));
            } else { // its features may be to blame
                log.warn(
                        "Task {}: image {} cannot be scored from its features and is read again",
                        task.id(),
                        item.imageId,
                        thrown);
                read(item.step, item.imageId, item.image);
            }
        }
    }

    /** Gives an image its scores under the vocabulary, unless there is another version of it by now. */
    private void apply(String id, ImageMeta scored, float[] scores) {
        Optional<ImageMeta> now = current(id, scored);
        if (now.isEmpty()) {
            return;
        }
        Optional<Outcome> outcome = shared.outcomes().retagged(id, now.get(), target, scores, task.now());
        if (outcome.isEmpty()) {
            log.warn(
                    "Task {}: image {} keeps its old tags, because the new ones do not fit into a record",
                    task.id(),
                    id);
            leaveBehind(id, now.get());
            return;
        }
        task.emit(id, outcome.get());
        outcome.get().knowledge().meta().ifPresent(image -> known.change(id, image));
        shared.meters().swept(!outcome.get().outputs().isEmpty());
    }

    /** What is known about an image, if it is still the version that a result was computed for. */
    private Optional<ImageMeta> current(String id, ImageMeta version) {
        return known.find(id).filter(now -> now.getOrigin().equals(version.getOrigin()));
    }

    private void read(Step step, String id, ImageMeta image) {
        Reading running = readings.get(id);
        if (running != null && running.isOf(image)) {
            running.step = step;
            return;
        }
        Reading reading = new Reading(id, image);
        reading.step = step;
        if (shared.config().getInt(TagstreamConfig.SWEEP_READS_MAX) == 0) {
            landed.add(() -> landed(reading, null, null));
            readings.put(id, reading);
            return;
        }
        Optional<CompletableFuture<ImageScores<VocabularySnapshot>>> submission = shared.runtime()
                .trySubmit(
                        new ImageRequest(
                                        image.getUri(),
                                        Optional.of(image.getSha256()),
                                        task.id(),
                                        "image " + ImageName.quoted(id) + " (read again)")
                                .inBackground(),
                        shared.labels());
        readings.put(id, reading);
        if (submission.isEmpty()) {
            landed.add(
                    () -> { // no room: try again when this thread is back
                        readings.remove(id, reading);
                        if (reading.step != null) {
                            read(reading.step, id, image);
                        }
                    });
            return;
        }
        reading.result = submission.get();
        var unused = submission.get().whenComplete((scores, thrown) -> {
            if (!ScoringFailures.isCancellation(thrown)) {
                landed.add(() -> landed(reading, scores, thrown));
            }
        });
    }

    private void landed(Reading reading, ImageScores<VocabularySnapshot> scores, Throwable thrown) {
        if (reading.step != null && scores != null && scores.labels().epoch() > target.epoch()) {
            landed.add(() -> landed(reading, scores, thrown)); // this thread has not seen that vocabulary yet
            return;
        }
        readings.remove(reading.imageId, reading);
        Optional<ImageMeta> now = current(reading.imageId, reading.image);
        if (scores != null) { // its features are useful, whatever the vocabulary is by now
            now = now.map(image -> known.keep(
                    reading.imageId, image, scores.features(), task.now().toEpochMilli()));
        }
        boolean olderVocabulary =
                scores != null && target != null && scores.labels().epoch() < target.epoch();
        if (reading.step != null && olderVocabulary && now.isPresent()) {
            rescore(reading, now.get(), scores.features());
            return;
        }
        if (reading.step != null) {
            reading.step.open--;
        }
        if (now.isEmpty()
                || target == null
                || (scores != null && scores.labels().epoch() != target.epoch())) {
            return; // deleted, submitted again, or its turn is still to come
        }
        if (scores == null) {
            log.debug("Task {}: image {} cannot be read again", task.id(), reading.imageId, thrown);
            leaveBehind(reading.imageId, now.get());
            return;
        }
        apply(reading.imageId, now.get(), scores.scores());
    }

    /** Scores an image that was read under an earlier vocabulary, from the features just read. */
    private void rescore(Reading reading, ImageMeta image, ImageFeatures features) {
        VocabularyDelta delta = shared.outcomes().delta(target, VocabularySnapshot.EMPTY_EPOCH);
        Group group = new Group(VocabularyDelta.everything(target));
        group.items.add(new Item(reading.step, reading.imageId, image, features, delta));
        unsubmitted.add(group);
    }

    /** Leaves an image with its tags; the next sweep will try again. */
    private void leaveBehind(String id, ImageMeta image) {
        stale++;
        shared.meters().stale();
        known.change(
                id,
                ImageMeta.newBuilder(image)
                        .setVocabularyEpoch(known.epoch(id, image))
                        .setStale(true)
                        .build());
    }

    private void advanceCursor() {
        while (!steps.isEmpty() && steps.getFirst().open == 0) {
            Step done = steps.removeFirst();
            known.cover(done.after, done.upTo, target.epoch(), done.images);
            if (done.upTo == null) {
                frontier = null;
            }
        }
    }

    /** How images are scored: the model, and which labels are decoded. */
    private String scoring(VocabularySnapshot vocabulary) {
        return "%s %s %s"
                .formatted(
                        shared.outcomes().model().getId(),
                        shared.outcomes().model().getVersion(),
                        vocabulary.selection());
    }

    private void report() {
        long epoch = target != null
                ? target.epoch()
                : known.coverage().ranges().get(0).epoch();
        shared.sweeps()
                .put(
                        task.id().partition(),
                        new SweepStatus(
                                task.id().partition(),
                                target != null,
                                epoch,
                                known.images(),
                                known.swept(),
                                stale,
                                known.keptFeatures()));
    }

    void close() {
        forget();
        readings.values().stream()
                .filter(reading -> reading.result != null)
                .forEach(reading -> reading.result.cancel(true));
        shared.sweeps().remove(task.id().partition());
    }
}
