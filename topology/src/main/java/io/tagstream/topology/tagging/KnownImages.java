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
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.Coverage.Range;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.nio.ByteBuffer;
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
    /** So many that are too old are dropped at a time. */
    private static final int MOST_DROPPED = 8;

    private final TaggingContext shared;
    private final KeyValueStore<String, ImageMeta> metas;
    private final KeyValueStore<Long, byte[]> features;
    private final KeyValueStore<String, SweepState> states;
    private final SweepState state;
    private Coverage coverage;
    private boolean changed;

    /** No features are kept below this key. */
    private long oldestFeatures;

    KnownImages(ProcessorContext<?, ?> context, TaggingContext shared) {
        this.shared = shared;
        this.metas = context.getStateStore(TaggingTopology.IMAGE_META_STORE);
        this.features = context.getStateStore(TaggingTopology.IMAGE_FEATURES_STORE);
        this.states = context.getStateStore(TaggingTopology.SWEEP_STORE);
        SweepState stored = states.get(SWEEP_KEY);
        this.state = stored == null ? begin() : stored;
        this.coverage = coverage(state);
    }

    /** The first time, with this version of Tagstream: an earlier one may have known images. */
    private SweepState begin() {
        long images = after(null, Integer.MAX_VALUE).images().size();
        changed = true;
        return new SweepState(List.of(), null, null, 0L, images, 0L, 0L);
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
        try {
            return Optional.ofNullable(metas.get(id));
        } catch (SerializationException e) {
            log.error("What store {} knows of {} cannot be read and counts as unknown", metas.name(), id, e);
            return Optional.empty();
        }
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

    /** Goes over an entry, readable or not. */
    private static void skip(KeyValueIterator<String, ImageMeta> entries) {
        try {
            entries.next();
        } catch (SerializationException e) {
            log.trace("Skipped an entry that cannot be read", e);
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
     * @param fresh its features, to be kept if features are
     */
    void read(String id, ImageMeta image, Optional<ImageMeta> before, ImageFeatures fresh, long nowMillis) {
        if (before.isEmpty()) {
            state.setImages(state.getImages() + 1);
            changed = true;
        }
        Optional<ImageMeta> sameBytes = before.filter(known -> known.getSha256().equals(image.getSha256())
                && known.getModel().equals(image.getModel())
                && keeps(known));
        if (sameBytes.isPresent()) {
            image.setFeatures(sameBytes.get().getFeatures());
        } else {
            before.ifPresent(this::dropFeatures);
            image.setFeatures(shared.keepsFeatures() ? add(fresh, nowMillis) : null);
        }
        metas.put(id, image);
    }

    /** An image's tags or scores have changed without its being read. */
    void change(String id, ImageMeta image) {
        metas.put(id, image);
    }

    /** An image is deleted. */
    void forget(String id) {
        Optional<ImageMeta> known = find(id);
        if (known.isPresent()) {
            dropFeatures(known.get());
            state.setImages(state.getImages() - 1);
            changed = true;
        }
        metas.delete(id);
    }

    private boolean keeps(ImageMeta image) {
        return image.getFeatures() != null && features.get(image.getFeatures()) != null;
    }

    /** What is kept of an image to score it again; empty where that was dropped, or is another model's. */
    Optional<ImageFeatures> features(ImageMeta image) {
        if (image.getFeatures() == null
                || !image.getModel().equals(shared.outcomes().model())) {
            return Optional.empty();
        }
        return Optional.ofNullable(features.get(image.getFeatures())).map(KnownImages::unstamped);
    }

    /** The image as the model runtime knows it again, if its features are kept. */
    Optional<KnownImage> knownAs(ImageMeta image) {
        return features(image)
                .map(kept -> new KnownImage(image.getSha256(), image.getWidth(), image.getHeight(), kept));
    }

    /** Features as they are stored, less the time before them. */
    static ImageFeatures unstamped(byte[] stored) {
        byte[] bytes = new byte[stored.length - Long.BYTES];
        System.arraycopy(stored, Long.BYTES, bytes, 0, bytes.length);
        return new ImageFeatures(bytes);
    }

    private long add(ImageFeatures fresh, long nowMillis) {
        long key = state.getNextFeatures();
        features.put(
                key,
                ByteBuffer.allocate(Long.BYTES + fresh.bytes().length)
                        .putLong(nowMillis)
                        .put(fresh.bytes())
                        .array());
        state.setNextFeatures(key + 1);
        state.setFeatures(state.getFeatures() + 1);
        changed = true;
        dropTooMany(nowMillis);
        return key;
    }

    private void dropFeatures(ImageMeta image) {
        if (keeps(image)) {
            features.delete(image.getFeatures());
            state.setFeatures(state.getFeatures() - 1);
            changed = true;
        }
    }

    private void dropTooMany(long nowMillis) {
        long most = shared.config().getLong(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT);
        long oldestAllowed = nowMillis - shared.config().getLong(TagstreamConfig.IMAGE_FEATURES_MAX_AGE_MILLIS);
        if (!shared.boundsFeatures()) {
            return;
        }
        try (KeyValueIterator<Long, byte[]> oldest = features.range(oldestFeatures, state.getNextFeatures())) {
            for (int dropped = 0; dropped < MOST_DROPPED && oldest.hasNext(); dropped++) {
                KeyValue<Long, byte[]> next = oldest.next();
                boolean tooOld = ByteBuffer.wrap(next.value).getLong() < oldestAllowed;
                oldestFeatures = next.key;
                if (!tooOld && state.getFeatures() <= most) {
                    return;
                }
                features.delete(next.key);
                state.setFeatures(state.getFeatures() - 1);
            }
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
        return state.getFeatures();
    }

    /** Writes what has changed and is not written yet. */
    void save() {
        if (changed) {
            state.setCoverage(coverage.ranges().stream()
                    .map(range -> new io.tagstream.avro.state.Coverage(range.upTo(), range.epoch()))
                    .toList());
            states.put(SWEEP_KEY, SweepState.newBuilder(state).build());
            changed = false;
        }
    }
}
