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
 * The features that a task keeps of its images, under keys that count up, so that the oldest are found when there are too
 * many.
 *
 * <p><i>Whose they are.</i> An image names the key of its features, and features name their image, the bytes and the model
 * that they were made of. They are used only where both agree. So neither a key that comes a second time nor a model that
 * has changed can give an image another's features, whichever store is lost.
 *
 * <p><i>After a loss.</i> Features that no image names take up room, and the count is wrong. Both shows at the first and
 * the last key when the task starts. An audit then goes over everything, some entries at a time; it remembers in the store
 * how far it is.
 *
 * <p><i>Earlier versions</i> of Tagstream did not write whose features are. Such entries are used for nothing and dropped by
 * an audit; their images are read again when they must be.
 *
 * <p><i>Threading notes.</i> Of the task's stream thread, except for the static {@link #find}.
 */
final class FeatureStore {
    private static final Logger log = LoggerFactory.getLogger(FeatureStore.class);

    /** Behind every other key in the order of bytes. */
    static final long AUDIT_KEY = -1;

    /** So many that are too old are dropped at a time. */
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

    /** Null while none is under way. */
    private FeatureAudit audit;

    /** Nothing is kept below this key. */
    private long oldest;

    /**
     * Takes up what a store holds.
     *
     * @param images what is known of an image, by its id
     * @param count how many are kept, and
     * @param nextKey the key of the next, both as {@link #count} and {@link #nextKey} said
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
                    "Task {}: stores {}, {} and {} do not belong together, as when one was lost, or an earlier version"
                            + " wrote them. Features that belong to no known image are dropped",
                    task,
                    TaggingTopology.IMAGE_META_STORE,
                    TaggingTopology.IMAGE_FEATURES_STORE,
                    TaggingTopology.SWEEP_STORE);
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
            log.error("Task {}: how far the audit of features is cannot be read; it begins anew", task, e);
            return Optional.of(new FeatureAudit(0L, 0L));
        }
    }

    /** Whether the count may be right, and the features at both ends are somebody's. */
    private boolean inStep(Optional<KeyValue<Long, byte[]>> first, Optional<KeyValue<Long, byte[]>> last) {
        if (first.isEmpty() || last.isEmpty()) {
            return count == 0;
        }
        boolean countable = count > 0 && count <= nextKey - first.get().key && last.get().key < nextKey;
        return countable && isNamed(first.get()) && isNamed(last.get());
    }

    /** Whether the image that features are kept for names them. */
    private boolean isNamed(KeyValue<Long, byte[]> entry) {
        return read(entry.value)
                .flatMap(kept -> images.apply(kept.getImageId()))
                .filter(image -> entry.key.equals(image.getFeatures()))
                .isPresent();
    }

    /** An entry; empty where there is none, or it does not say whose it is. */
    private static Optional<KeptFeatures> read(byte[] stored) {
        try {
            return Optional.ofNullable(KEPT.deserializer().deserialize(null, stored));
        } catch (SerializationException e) {
            log.debug("An entry of {} bytes is nobody's features", stored.length, e);
            return Optional.empty();
        }
    }

    /**
     * What a model can score an image from; empty where nothing is kept, or it is another version's or another model's.
     * Any thread may ask.
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

    /** What the present model can score an image from. */
    Optional<ImageFeatures> find(String id, ImageMeta image) {
        return find(store, id, image, shared.outcomes().model());
    }

    /**
     * Keeps features that the present model has made of an image, in place of those that the image names.
     *
     * @return their key; empty where features are not kept
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
                    "Task {}: no features are kept of image {}, they need a record of {} bytes and it takes {}"
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

    /** Drops the features that an image names, if they are its own, or nobody's. */
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
                count = 0; // whatever was counted: a loss that did not show must not let this begin again and again
            }
        }
    }

    /** How many are kept; not exact while an audit is under way. */
    long count() {
        return count;
    }

    long nextKey() {
        return nextKey;
    }

    /** Whether an audit is under way. */
    boolean auditing() {
        return audit != null;
    }

    /** Whether {@link #tidy} has something to do. */
    boolean untidy() {
        return auditing() || tooMany();
    }

    /**
     * Goes on with the audit if one is under way, else drops some of what is too much.
     *
     * @param most entries that the audit looks at, which are read whole
     */
    void tidy(int most, long nowMillis) {
        if (auditing()) {
            auditMore(most);
        } else {
            dropTooMany(nowMillis);
        }
    }

    /** Goes over some more entries: those that no image names are dropped. */
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
        log.info("Task {}: features of {} images are kept", task, count);
    }

    /**
     * Writes what has changed and is not written yet, except for what others store.
     *
     * @return whether {@link #count} and {@link #nextKey} have to be stored
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
