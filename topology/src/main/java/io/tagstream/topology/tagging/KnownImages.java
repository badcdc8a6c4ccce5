/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.SweepState;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.KnownImage;
import io.tagstream.topology.tagging.Coverage.Range;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a task knows of the images that it has tagged: their scores and tags, their features as far as these are kept, and
 * which vocabulary they have followed.
 *
 * <p>Features are written once and kept apart from what changes often, in the order in which they came, so that the oldest
 * are found when there are too many.
 *
 * <p><i>Threading notes.</i> Of the task's stream thread. Everything is in stores and commits with the transaction; call
 * {@link #save} before that.
 */
final class KnownImages {
    private static final Logger log = LoggerFactory.getLogger(KnownImages.class);
    static final String SWEEP_KEY = "sweep";
    /** Features that are compared with their images at a time: some hundred kilobytes, read from disk. */
    private static final int MOST_LOOKED_AT = 16;
    /** The same while fresh images owe their outcome. */
    private static final int FEW_LOOKED_AT = 2;

    private final KeyValueStore<String, ImageMeta> metas;
    private final FeatureStore features;
    private final KeyValueStore<String, SweepState> states;
    private final SweepState state;
    private Coverage coverage;
    private boolean changed;

    KnownImages(ProcessorContext<?, ?> context, TaggingContext shared) {
        this.metas = context.getStateStore(TaggingTopology.IMAGE_META_STORE);
        this.states = context.getStateStore(TaggingTopology.SWEEP_STORE);
        Optional<SweepState> stored = TaggingProcessor.readable(states, SWEEP_KEY);
        this.state = stored.orElseGet(() -> new SweepState(List.of(), null, null, 0L, 0L, 0L, 0L));
        this.coverage = coverage(state);
        this.features = new FeatureStore(
                context.getStateStore(TaggingTopology.IMAGE_FEATURES_STORE),
                context.taskId(),
                shared,
                this::find,
                state.getFeatures(),
                state.getNextFeatures());
        if (stored.isEmpty() || features.auditing() || isEmpty() != (state.getImages() == 0)) {
            long counted = state.getImages();
            state.setImages(countImages());
            changed = true;
            if (counted != state.getImages()) {
                log.warn(
                        "Task {} knows {} images, and {} were counted: store {} or {} was lost",
                        context.taskId(),
                        state.getImages(),
                        counted,
                        metas.name(),
                        states.name());
            }
        }
    }

    private boolean isEmpty() {
        try (KeyValueIterator<String, ImageMeta> images = metas.all()) {
            return !images.hasNext();
        }
    }

    /** One by one, since all of them may be more than memory holds. */
    private long countImages() {
        long images = 0;
        try (KeyValueIterator<String, ImageMeta> all = metas.all()) {
            while (all.hasNext()) {
                images += skip(all) ? 1 : 0;
            }
        }
        return images;
    }

    /** What a stored state says of the epochs that images have followed. */
    static Coverage coverage(SweepState state) {
        return state.getCoverage().isEmpty()
                ? Coverage.all(VocabularySnapshot.EMPTY_EPOCH)
                : Coverage.of(state.getCoverage().stream()
                        .map(range -> new Range(range.getUpTo(), range.getEpoch()))
                        .toList());
    }

    /** An image; empty where it is not known, or what is known cannot be read. */
    Optional<ImageMeta> find(String id) {
        return TaggingProcessor.readable(metas, id);
    }

    /**
     * Images that follow upon each other.
     *
     * @param images in the order of their ids, less those that cannot be read
     * @param last whether there are no others after them
     */
    record Page(List<KeyValue<String, ImageMeta>> images, boolean last) {}

    /** The first images after an id; null for the beginning. */
    Page after(String id, int most) {
        List<KeyValue<String, ImageMeta>> images = new ArrayList<>();
        try (KeyValueIterator<String, ImageMeta> next = metas.range(id, null)) {
            while (next.hasNext() && images.size() < most) {
                if (next.peekNextKey().equals(id)) {
                    skip(next);
                    continue;
                }
                try {
                    images.add(next.next());
                } catch (SerializationException e) {
                    log.error("Store {} holds an image that cannot be read and counts as unknown", metas.name(), e);
                }
            }
            return new Page(images, !next.hasNext());
        }
    }

    /** Goes over an entry; returns whether it can be read. */
    private static boolean skip(KeyValueIterator<String, ImageMeta> entries) {
        try {
            entries.next();
            return true;
        } catch (SerializationException e) {
            log.trace("Skipped an entry that cannot be read", e);
            return false;
        }
    }

    /** The vocabulary epoch that an image has followed. */
    static long epoch(String id, ImageMeta image, Coverage coverage) {
        return image.getStale() ? image.getVocabularyEpoch() : Math.max(image.getVocabularyEpoch(), coverage.epoch(id));
    }

    /** The vocabulary epoch that an image has followed. */
    long epoch(String id, ImageMeta image) {
        return epoch(id, image, coverage);
    }

    /**
     * An image has been read and scored.
     *
     * @param before what was known of it
     * @param fresh its features, to be kept if features are and those of before are not its own
     */
    void read(String id, ImageMeta image, Optional<ImageMeta> before, ImageFeatures fresh, long nowMillis) {
        if (before.isEmpty()) {
            state.setImages(state.getImages() + 1);
            changed = true;
        }
        image.setFeatures(before.map(ImageMeta::getFeatures).orElse(null));
        if (features.find(id, image).isPresent()) { // of the same bytes
            metas.put(id, image);
        } else {
            keep(id, image, fresh, nowMillis);
        }
    }

    /** An image's tags or scores have changed without its being read. */
    void change(String id, ImageMeta image) {
        metas.put(id, image);
    }

    /** An image is deleted. */
    void forget(String id) {
        Optional<ImageMeta> known = find(id);
        if (known.isPresent()) {
            features.drop(id, known.get());
            state.setImages(state.getImages() - 1);
            changed = true;
        }
        metas.delete(id);
    }

    /**
     * An image of which nothing was kept has been read again: its features are kept from now on, whatever becomes of its
     * scores.
     *
     * @return the image as it is known now
     */
    ImageMeta keep(String id, ImageMeta image, ImageFeatures fresh, long nowMillis) {
        ImageMeta kept = ImageMeta.newBuilder(image)
                .setFeatures(features.replace(id, image, fresh, nowMillis).orElse(null))
                .build();
        metas.put(id, kept);
        return kept;
    }

    /** What is kept of an image to score it again; empty where that was dropped, or is another model's. */
    Optional<ImageFeatures> features(String id, ImageMeta image) {
        return features.find(id, image);
    }

    /** The image as the model runtime knows it again, if its features are kept. */
    Optional<KnownImage> knownAs(String id, ImageMeta image) {
        return features(id, image)
                .map(kept -> new KnownImage(image.getSha256(), image.getWidth(), image.getHeight(), kept));
    }

    /** Whether more is kept than should be, and {@link #tidy} has something to do. */
    boolean untidy() {
        return features.untidy();
    }

    /** Drops some of what belongs to no image, or is too much. */
    void tidy(boolean busy, long nowMillis) {
        if (untidy()) {
            features.tidy(busy ? FEW_LOOKED_AT : MOST_LOOKED_AT, nowMillis);
        }
    }

    Coverage coverage() {
        return coverage;
    }

    /** Whether every image that is not stale has followed a vocabulary, scored in this way. */
    boolean follow(VocabularySnapshot vocabulary, String scoring) {
        return coverage.isAll(vocabulary.epoch()) && scoring.equals(state.getScoring());
    }

    /** A sweep begins or goes on, for a vocabulary that is new to the task. */
    void beginSweep(String scoring) {
        if (!scoring.equals(state.getScoring())) { // what an image has followed in another way of scoring is nothing
            coverage = Coverage.all(VocabularySnapshot.EMPTY_EPOCH);
            state.setScoring(scoring);
            state.setCursor(null);
        }
        state.setSwept(0L);
        changed = true;
    }

    /** Everything after an id and up to another has been dealt with. */
    void cover(String after, String upTo, long epoch, int images) {
        coverage = coverage.with(after, upTo, epoch);
        state.setCursor(upTo);
        state.setSwept(state.getSwept() + images);
        changed = true;
    }

    /** The last id that the sweep under way has dealt with; null at the beginning. */
    String cursor() {
        return state.getCursor();
    }

    long swept() {
        return state.getSwept();
    }

    long images() {
        return state.getImages();
    }

    long keptFeatures() {
        return features.count();
    }

    /** Writes what has changed and is not written yet. */
    void save() {
        if (features.save()) {
            state.setFeatures(features.count());
            state.setNextFeatures(features.nextKey());
            changed = true;
        }
        if (changed) {
            state.setCoverage(coverage.ranges().stream()
                    .map(range -> new io.tagstream.avro.state.Coverage(range.upTo(), range.epoch()))
                    .toList());
            states.put(SWEEP_KEY, SweepState.newBuilder(state).build());
            changed = false;
        }
    }
}
