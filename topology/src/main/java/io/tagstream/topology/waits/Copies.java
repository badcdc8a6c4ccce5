/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/**
 * How complete this process's copies of other instances' state are (standby replicas). A copy follows its changelogs; it
 * is complete while it keeps reaching their ends, so that an instance that takes the partition over need not read much.
 *
 * <p><i>Threading notes.</i> The threads that restore state report, each on its consumer; any thread may ask.
 */
public final class Copies {
    /** A copy that has not reached the end of a changelog for so long is not complete. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final LongSupplier clock;
    private final Restores restores;

    /** By consumer, its changelogs. */
    private final Map<Object, Map<TopicPartition, Copy>> copies = new ConcurrentHashMap<>();

    /**
     * How far a changelog is read.
     *
     * @param lag the records that are left; -1 if that is not known
     * @param endAt when its end was last reached; null for never
     */
    private record Copy(long lag, Long endAt) {}

    /** @param restores knows the changelogs that are read for a task of this process */
    public Copies(Restores restores) {
        this(restores, System::nanoTime);
    }

    Copies(Restores restores, LongSupplier clock) {
        this.restores = restores;
        this.clock = clock;
    }

    /** Notes what a consumer that restores state reads, with the records that it has left, as far as it knows. */
    public void read(Object consumer, Map<TopicPartition, OptionalLong> changelogs) {
        long now = clock.getAsLong();
        Map<TopicPartition, Copy> before = copies.getOrDefault(consumer, Map.of());
        Map<TopicPartition, Copy> after = new HashMap<>();
        changelogs.forEach((changelog, lag) -> {
            Copy copy = before.get(changelog);
            Long endAt =
                    lag.isPresent() && lag.getAsLong() == 0 ? Long.valueOf(now) : copy == null ? null : copy.endAt();
            after.put(changelog, new Copy(lag.orElse(-1), endAt));
        });
        copies.put(consumer, Map.copyOf(after));
    }

    /** Notes that a consumer is closed. */
    public void closed(Object consumer) {
        copies.remove(consumer);
    }

    private Stream<Map.Entry<TopicPartition, Copy>> all() {
        return copies.values().stream()
                .flatMap(its -> its.entrySet().stream())
                .filter(entry -> !restores.isActive(entry.getKey()));
    }

    /** The partitions whose copies are not complete, with the records that are left, as far as that is known. */
    public Map<Integer, Long> behind() {
        long now = clock.getAsLong();
        Map<Integer, Long> behind = new TreeMap<>();
        all().filter(entry -> {
                    Long endAt = entry.getValue().endAt();
                    return endAt == null || now - endAt > PATIENCE.toNanos();
                })
                .forEach(entry -> behind.merge(
                        entry.getKey().partition(), Math.max(0, entry.getValue().lag()), Long::sum));
        return behind;
    }

    /** The partitions whose copies are complete. */
    public Set<Integer> complete() {
        Set<Integer> complete = new TreeSet<>();
        all().forEach(entry -> complete.add(entry.getKey().partition()));
        complete.removeAll(behind().keySet());
        return complete;
    }

    /** The records that all copies have left, as far as that is known. */
    public long lag() {
        return all().mapToLong(entry -> Math.max(0, entry.getValue().lag())).sum();
    }
}
