/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.Model;
import io.tagstream.avro.state.FeatureAudit;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.KeptFeatures;
import io.tagstream.model.ImageFeatures;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The features that a task keeps for its images, under ascending keys, so that the oldest can be found when there are
 * too many.
 *
 * <p><i>Ownership.</i> An image names the key of its features, and features name their image and the bytes and model
 * that they were made from. They are used only if both agree. So neither a key that is used a second time nor a changed
 * model can give an image another image's features, whichever store is lost.
 *
 * <p><i>After a loss.</i> Features that no image names take up room, and the count is wrong. Both show at the first and
 * the last key when the task starts. An audit then checks every entry, a few at a time; it stores its position in the
 * store.
 *
 * <p><i>Earlier versions</i> of Tagstream did not record whose features they were. Such entries are never used, and an
 * audit drops them; their images are read again when necessary.
 *
 * <p><i>Threading notes.</i> Used only by the task's stream thread, except for the static {@link #find}.
 */
final class FeatureStore {
    private static final Logger log = LoggerFactory.getLogger(FeatureStore.class);

    /** Sorts after every other key in byte order. */
    static final long AUDIT_KEY = -1;

    /** The most entries to drop at a time, because they are too old or too many. */
    private static final int MOST_DROPPED = 8;

    private static final StateSerde<KeptFeatures> KEPT = new StateSerde<>(KeptFeatures.class);
    private static final StateSerde<FeatureAudit> AUDIT = new StateSerde<>(FeatureAudit.class);

    private final KeyValueStore<Long, byte[]> store;
    private final TaskId task;
    private final TaggingContext shared;
    private final Function<String, Optional<ImageMeta>> images;
    private long count;
    private long nextKey;
    private boolean changed;

    /** Null while no audit is in progress. */
    private FeatureAudit audit;

    /** Nothing is kept below this key. */
    private long oldest;

    /**
     * Opens the features that a store holds.
     *
     * @param images looks up what is known about an image, by its id
     * @param count how many features are kept, as {@link #count} last returned
     * @param nextKey the next key to use, as {@link #nextKey} last returned
     */
    FeatureStore(
            KeyValueStore<Long, byte[]> store,
            TaskId task,
            TaggingContext shared,
            Function<String, Optional<ImageMeta>> images,
            long count,
            long nextKey) {
        this.store = store;
        this.task = task;
        this.shared = shared;
        this.images = images;
        this.count = count;
        this.nextKey = nextKey;
        Optional<KeyValue<Long, byte[]>> first = end(store.range(0L, Long.MAX_VALUE));
        Optional<KeyValue<Long, byte[]>> last = end(store.reverseRange(0L, Long.MAX_VALUE));
        this.audit = underWay().orElse(null);
        if (audit == null && !inStep(first, last)) {
            audit = new FeatureAudit(0L, 0L);
            changed = true;
            log.warn(
                    "Task {}: stores {}, {} and {} do not match: one of them was lost, or an earlier version wrote"
                            + " them. Features that belong to no known image are dropped",
                    task,
                    TaggingTopology.IMAGE_META_STORE,
                    TaggingTopology.IMAGE_FEATURES_STORE,
                    TaggingTopology.SWEEP_STORE);
        }
        if (audit != null && !passed(first)) {
            audit = new FeatureAudit(0L, 0L);
            changed = true;
            log.warn(
                    "Task {}: store {} was lost while features were audited; the audit starts again",
                    task,
                    TaggingTopology.IMAGE_META_STORE);
        }
        last.ifPresent(entry -> this.nextKey = Math.max(nextKey, entry.key + 1));
    }

    private static Optional<KeyValue<Long, byte[]>> end(KeyValueIterator<Long, byte[]> entries) {
        try (entries) {
            return entries.hasNext() ? Optional.of(entries.next()) : Optional.empty();
        }
    }

    private Optional<FeatureAudit> underWay() {
        byte[] stored = store.get(AUDIT_KEY);
        try {
            return Optional.ofNullable(AUDIT.deserializer().deserialize(null, stored));
        } catch (SerializationException e) {
            log.error("Task {}: the progress of the audit of features cannot be read; the audit starts again", task, e);
            return Optional.of(new FeatureAudit(0L, 0L));
        }
    }

    /** Whether the features at both ends of those that the audit has kept still belong to an image. */
    private boolean passed(Optional<KeyValue<Long, byte[]>> first) {
        Optional<KeyValue<Long, byte[]>> newest =
                audit.getNextKey() == 0 ? Optional.empty() : end(store.reverseRange(0L, audit.getNextKey() - 1));
        return newest.isEmpty() || (isNamed(first.orElseThrow()) && isNamed(newest.get()));
    }

    /** Whether the count may be right, and the features at both ends belong to an image. */
    private boolean inStep(Optional<KeyValue<Long, byte[]>> first, Optional<KeyValue<Long, byte[]>> last) {
        if (first.isEmpty() || last.isEmpty()) {
            return count == 0;
        }
        boolean countable = count > 0 && count <= nextKey - first.get().key && last.get().key < nextKey;
        return countable && isNamed(first.get()) && isNamed(last.get());
    }

    /** Whether the image that the features belong to names them. */
    private boolean isNamed(KeyValue<Long, byte[]> entry) {
        return read(entry.value)
                .flatMap(kept -> images.apply(kept.getImageId()))
                .filter(image -> entry.key.equals(image.getFeatures()))
                .isPresent();
    }

    /** An entry; empty if there is none, or it does not say whose it is. */
    private static Optional<KeptFeatures> read(byte[] stored) {
        try {
            return Optional.ofNullable(KEPT.deserializer().deserialize(null, stored));
        } catch (SerializationException e) {
            log.debug("An entry of {} bytes cannot be read as features", stored.length, e);
            return Optional.empty();
        }
    }

    /**
     * The features from which a model can score an image; empty if none are kept, or they belong to another version of
     * the image or to another model. May be called from any thread.
     */
    static Optional<ImageFeatures> find(
            ReadOnlyKeyValueStore<Long, byte[]> store, String id, ImageMeta image, Model model) {
        return entry(store, image)
                .filter(kept -> kept.getImageId().equals(id)
                        && kept.getSha256().equals(image.getSha256())
                        && kept.getModel().equals(model))
                .map(kept -> new ImageFeatures(bytes(kept.getFeatures())));
    }

    private static Optional<KeptFeatures> entry(ReadOnlyKeyValueStore<Long, byte[]> store, ImageMeta image) {
        return image.getFeatures() == null ? Optional.empty() : read(store.get(image.getFeatures()));
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** The features from which the present model can score an image. */
    Optional<ImageFeatures> find(String id, ImageMeta image) {
        return find(store, id, image, shared.outcomes().model());
    }

    /**
     * Keeps features that the present model has made for an image, in place of the ones that the image names.
     *
     * @return their key; empty if features are not kept
     */
    Optional<Long> replace(String id, ImageMeta image, ImageFeatures fresh, long nowMillis) {
        drop(id, image);
        if (!shared.keepsFeatures()) {
            return Optional.empty();
        }
        KeptFeatures kept = new KeptFeatures(
                id, image.getSha256(), shared.outcomes().model(), nowMillis, ByteBuffer.wrap(fresh.bytes()));
        byte[] bytes = KEPT.serializer().serialize(null, kept);
        if (!shared.limit().fits(new byte[Long.BYTES], bytes, List.of())) {
            log.warn(
                    "Task {}: the features of image {} are not kept: they need {} bytes, but a record holds at most {}"
                            + " (kafka.max.request.size)",
                    task,
                    ImageName.quoted(id),
                    bytes.length,
                    shared.limit().bytes());
            return Optional.empty();
        }
        long key = nextKey++;
        store.put(key, bytes);
        count++;
        changed = true;
        dropTooMany(nowMillis);
        return Optional.of(key);
    }

    /** Drops the features that an image names, if they are its own or nobody's. */
    void drop(String id, ImageMeta image) {
        if (image.getFeatures() == null) {
            return;
        }
        byte[] stored = store.get(image.getFeatures());
        boolean anothers =
                read(stored).filter(kept -> !kept.getImageId().equals(id)).isPresent();
        if (stored != null && !anothers) {
            delete(image.getFeatures());
        }
    }

    private void delete(long key) {
        store.delete(key);
        count--;
        changed = true;
        if (audit != null && key < audit.getNextKey()) {
            audit.setKept(audit.getKept() - 1);
        }
    }

    private boolean tooMany() {
        return shared.boundsFeatures() && count > shared.config().getLong(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT);
    }

    private void dropTooMany(long nowMillis) {
        if (!shared.boundsFeatures()) {
            return;
        }
        long oldestAllowed = nowMillis - shared.config().getLong(TagstreamConfig.IMAGE_FEATURES_MAX_AGE_MILLIS);
        try (KeyValueIterator<Long, byte[]> oldestFirst = store.range(oldest, nextKey)) {
            for (int dropped = 0; dropped < MOST_DROPPED && oldestFirst.hasNext(); dropped++) {
                KeyValue<Long, byte[]> next = oldestFirst.next();
                boolean youngEnough = read(next.value)
                        .filter(kept -> kept.getKeptAt() >= oldestAllowed)
                        .isPresent();
                oldest = next.key;
                if (youngEnough && !tooMany()) {
                    return;
                }
                delete(next.key);
            }
            if (!oldestFirst.hasNext()) {
                count = 0; // whatever the count was: an undetected loss must not make this start again and again
            }
        }
    }

    /** How many features are kept; not exact while an audit is in progress. */
    long count() {
        return count;
    }

    long nextKey() {
        return nextKey;
    }

    /** Whether an audit is in progress. */
    boolean auditing() {
        return audit != null;
    }

    /** Whether {@link #tidy} has something to do. */
    boolean untidy() {
        return auditing() || tooMany();
    }

    /**
     * Continues the audit if one is in progress, else drops some of the excess.
     *
     * @param most how many entries the audit may look at; each is read whole
     */
    void tidy(int most, long nowMillis) {
        if (auditing()) {
            auditMore(most);
        } else {
            dropTooMany(nowMillis);
        }
    }

    /** Audits some more entries: drops those that no image names. */
    private void auditMore(int most) {
        changed = true;
        try (KeyValueIterator<Long, byte[]> rest = store.range(audit.getNextKey(), Long.MAX_VALUE)) {
            for (int seen = 0; seen < most && rest.hasNext(); seen++) {
                KeyValue<Long, byte[]> entry = rest.next();
                if (isNamed(entry)) {
                    audit.setKept(audit.getKept() + 1);
                } else {
                    delete(entry.key);
                }
                audit.setNextKey(entry.key + 1);
            }
            if (rest.hasNext()) {
                return;
            }
        }
        count = audit.getKept();
        audit = null;
        store.delete(AUDIT_KEY);
        log.info("Task {}: the features of {} images are kept", task, count);
    }

    /**
     * Writes unsaved changes, except for those that others store.
     *
     * @return whether the caller must store {@link #count} and {@link #nextKey}
     */
    boolean save() {
        if (!changed) {
            return false;
        }
        changed = false;
        if (audit != null) {
            store.put(AUDIT_KEY, AUDIT.serializer().serialize(null, audit));
        }
        return true;
    }
}
