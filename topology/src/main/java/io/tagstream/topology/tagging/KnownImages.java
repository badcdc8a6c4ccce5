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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a task knows about the images that it has tagged: their scores and tags, their features as far as these are
 * kept, and which vocabulary they have followed.
 *
 * <p>Features are written once, in a store of their own in order of arrival, so that the oldest can be found when there
 * are too many.
 *
 * <p><i>Threading notes.</i> Used only by the task's stream thread. Everything is in stores and is committed with the
 * transaction; call {@link #save} before that.
 */
final class KnownImages {
    private static final Logger log = LoggerFactory.getLogger(KnownImages.class);
    static final String SWEEP_KEY = "sweep";
    /** How many features to compare with their images at a time: some hundred kilobytes, read from disk. */
    private static final int MOST_LOOKED_AT = 16;
    /** The same while fresh images await their outcome. */
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
        Optional<SweepState> stored = readable(states, SWEEP_KEY);
        this.state = stored.orElseGet(() -> new SweepState(List.of(), null, null, 0L, 0L, 0L, 0L, Map.of()));
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
                        "Task {} knows {} images, but its stored count was {}: store {} or {} was lost. Unknown images"
                                + " keep their tags, and follow the vocabulary once they are submitted again",
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

    /** Reads them one by one, since together they may not fit in memory. */
    private long countImages() {
        long images = 0;
        try (KeyValueIterator<String, ImageMeta> all = metas.all()) {
            while (all.hasNext()) {
                images += skip(all) ? 1 : 0;
            }
        }
        return images;
    }

    /** The epochs that images have followed, according to a stored state. */
    static Coverage coverage(SweepState state) {
        return state.getCoverage().isEmpty()
                ? Coverage.all(VocabularySnapshot.EMPTY_EPOCH)
                : Coverage.of(state.getCoverage().stream()
                        .map(range -> new Range(range.getUpTo(), range.getEpoch()))
                        .toList());
    }

    /** An image; empty if it is unknown or cannot be read. */
    Optional<ImageMeta> find(String id) {
        return readable(metas, id);
    }

    /** A store's value for a key; empty if there is none, or it cannot be read. */
    static <V> Optional<V> readable(KeyValueStore<String, V> store, String key) {
        try {
            return Optional.ofNullable(store.get(key));
        } catch (SerializationException e) {
            log.error(
                    "Cannot read the entry {} of store {}; it counts as unknown",
                    ImageName.quoted(key),
                    store.name(),
                    e);
            return Optional.empty();
        }
    }

    /**
     * Consecutive images.
     *
     * @param images in the order of their ids, without those that cannot be read
     * @param last whether no others follow
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
                    log.error("Store {} has an image that cannot be read and counts as unknown", metas.name(), e);
                }
            }
            return new Page(images, !next.hasNext());
        }
    }

    /** Skips an entry; returns whether it can be read. */
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
     * @param before what was known about it
     * @param fresh its features, which are kept if features are kept and none of the same bytes are known
     */
    void read(String id, ImageMeta image, Optional<ImageMeta> before, ImageFeatures fresh, long nowMillis) {
        if (before.isEmpty()) {
            state.setImages(state.getImages() + 1);
            changed = true;
        }
        image.setFeatures(before.map(ImageMeta::getFeatures).orElse(null));
        if (features.find(id, image).isPresent()) { // made from the same bytes
            metas.put(id, image);
        } else {
            keep(id, image, fresh, nowMillis);
        }
    }

    /** An image's tags or scores have changed, although it was not read. */
    void change(String id, ImageMeta image) {
        metas.put(id, image);
    }

    /** Forgets a deleted image. */
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
     * Keeps the features of an image that had none and has been read again, whatever becomes of its scores.
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

    /** The features that an image can be scored from; empty if they were dropped or are another model's. */
    Optional<ImageFeatures> features(String id, ImageMeta image) {
        return features.find(id, image);
    }

    /** The image in the form that lets the model runtime recognise it, if its features are kept. */
    Optional<KnownImage> knownAs(String id, ImageMeta image) {
        return features(id, image)
                .map(kept -> new KnownImage(image.getSha256(), image.getWidth(), image.getHeight(), kept));
    }

    /** Whether {@link #tidy} has something to do. */
    boolean untidy() {
        return features.untidy();
    }

    /** Drops some features that belong to no image or are too many. */
    void tidy(boolean busy, long nowMillis) {
        if (untidy()) {
            features.tidy(busy ? FEW_LOOKED_AT : MOST_LOOKED_AT, nowMillis);
        }
    }

    /** The identity of the topic that has everything of a sink or a store; null if none was noted. */
    String copy(String name) {
        return state.getCopies().get(name);
    }

    /** Notes that a topic has everything of a sink or a store. */
    void copied(String name, String identity) {
        Map<String, String> copies = new HashMap<>(state.getCopies());
        copies.put(name, identity);
        state.setCopies(copies);
        changed = true;
    }

    /** The highest vocabulary epoch that images have followed. */
    long highestEpoch() {
        return coverage.ranges().stream().mapToLong(Range::epoch).max().orElse(VocabularySnapshot.EMPTY_EPOCH);
    }

    Coverage coverage() {
        return coverage;
    }

    /** Whether every image that is not stale has followed a vocabulary and is scored in this way. */
    boolean follow(VocabularySnapshot vocabulary, String scoring) {
        return coverage.isAll(vocabulary.epoch()) && scoring.equals(state.getScoring());
    }

    /** Begins a sweep, or continues one, for a vocabulary that is new to the task. */
    void beginSweep(String scoring) {
        if (!scoring.equals(state.getScoring())) { // epochs followed with another scoring do not count
            coverage = Coverage.all(VocabularySnapshot.EMPTY_EPOCH);
            state.setScoring(scoring);
            state.setCursor(null);
        }
        state.setSwept(0L);
        changed = true;
    }

    /** Notes that every image after one id and up to another has been dealt with. */
    void cover(String after, String upTo, long epoch, int images) {
        coverage = coverage.with(after, upTo, epoch);
        state.setCursor(upTo);
        state.setSwept(state.getSwept() + images);
        changed = true;
    }

    /** The last id that the current sweep has dealt with; null at the beginning. */
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

    /** Writes unsaved changes. */
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
