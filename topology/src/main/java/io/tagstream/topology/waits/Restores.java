/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * How far the state of this process's tasks is restored.
 *
 * <p><i>Threading notes.</i> Kafka Streams' threads report; any thread may ask.
 */
public final class Restores implements StateRestoreListener {
    private final LongSupplier clock;
    private final Map<TopicPartition, Restore> active = new ConcurrentHashMap<>();

    /** A changelog partition that is being read. */
    private record Restore(long restored, long records, long advancedAt) {}

    /** What is left of a partition's changelogs. */
    record Left(long restored, long records, long advancedAt) {}

    public Restores() {
        this(System::nanoTime);
    }

    Restores(LongSupplier clock) {
        this.clock = clock;
    }

    /** Whether a changelog is being read for a task of this process. */
    boolean isActive(TopicPartition changelog) {
        return active.containsKey(changelog);
    }

    /** The state of a partition's stores that are being restored; empty if none is. */
    Optional<Left> of(int partition) {
        return active.entrySet().stream()
                .filter(entry -> entry.getKey().partition() == partition)
                .map(entry -> entry.getValue())
                .map(one -> new Left(one.restored(), one.records(), one.advancedAt()))
                .reduce((a, b) -> new Left(
                        a.restored() + b.restored(),
                        a.records() + b.records(),
                        Math.max(a.advancedAt(), b.advancedAt())));
    }

    @Override
    public void onRestoreStart(TopicPartition changelog, String store, long start, long end) {
        active.put(changelog, new Restore(0, Math.max(0, end - start), clock.getAsLong()));
    }

    @Override
    public void onBatchRestored(TopicPartition changelog, String store, long batchEnd, long restored) {
        active.computeIfPresent(
                changelog,
                (key, before) -> new Restore(before.restored() + restored, before.records(), clock.getAsLong()));
    }

    @Override
    public void onRestoreEnd(TopicPartition changelog, String store, long restored) {
        active.remove(changelog);
    }

    @Override
    public void onRestoreSuspended(TopicPartition changelog, String store, long restored) {
        active.remove(changelog);
    }
}
