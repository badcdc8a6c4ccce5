/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * What this process has seen of the progress of its partitions: what their consumers have read, what their tasks owe,
 * and what their producers have committed. Only what is committed counts as progress: a task whose transactions are
 * aborted again and again makes none, however busy it is.
 *
 * <p><i>Threading notes.</i> Stream threads report, each on its consumer, producer and tasks; any thread may ask. All
 * times are those of one clock, in nanoseconds.
 */
public final class Progress {
    /**
     * How far a consumer has read a partition.
     *
     * @param position the offset of the next record to read
     * @param delivered the offset after the last record that it returned; -1 for none
     */
    public record Reading(long position, long delivered) {}

    /** A committed offset and when it was first seen. */
    record Commit(long offset, long at) {}

    /**
     * The time that a stream thread has spent in its consumer, waiting for records; the rest of its time it works.
     *
     * @param nanos of the polls that have ended
     * @param since when the present poll began; null if there is none
     */
    private record Polls(long nanos, Long since) {}

    /** A transaction that was fenced. */
    record Fence(String message, long at) {}

    private final LongSupplier clock;

    /** By consumer, its partitions. */
    private final Map<Object, Map<TopicPartition, Reading>> readings = new ConcurrentHashMap<>();

    /** By consumer, for how long it has been asked for records. */
    private final Map<Object, Polls> polls = new ConcurrentHashMap<>();

    /** The client ids of this process's consumers, living and dead. */
    private final Set<String> clients = ConcurrentHashMap.newKeySet();

    private final Map<TopicPartition, Task> tasks = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Commit> commits = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Long> outcomes = new ConcurrentHashMap<>();

    /** By stream thread, the partitions with outcomes in its open transaction. */
    private final Map<Thread, Set<TopicPartition>> uncommitted = new ConcurrentHashMap<>();

    private volatile Fence fence;

    public Progress() {
        this(System::nanoTime);
    }

    /** Takes the time from {@code clock}. */
    Progress(LongSupplier clock) {
        this.clock = clock;
    }

    long now() {
        return clock.getAsLong();
    }

    /** Notes a consumer's client id. */
    public void client(String id) {
        clients.add(id);
    }

    boolean isClient(String id) {
        return clients.contains(id);
    }

    /** Notes which partitions a consumer has, and how far it has read them. */
    public void read(Object consumer, Map<TopicPartition, Reading> partitions) {
        readings.put(consumer, partitions);
    }

    /** Notes, on its stream thread, that a consumer begins to wait for records. */
    public void pollBegins(Object consumer) {
        polls.put(consumer, new Polls(pollNanos(consumer), now()));
    }

    /** Notes, on its stream thread, that the wait has ended, with records or without. */
    public void pollEnds(Object consumer) {
        polls.put(consumer, new Polls(pollNanos(consumer), null));
    }

    private long pollNanos(Object consumer) {
        Polls all = polls.get(consumer);
        if (all == null) {
            return 0;
        }
        return all.since() == null ? all.nanos() : all.nanos() + now() - all.since();
    }

    /** For how long the consumer of a partition has waited for records, in nanoseconds; empty if none has it. */
    OptionalLong idleNanos(TopicPartition partition) {
        return consumer(partition).map(this::pollNanos).map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }

    /** The partitions that one consumer, and so one stream thread, has besides this one. */
    Set<TopicPartition> besides(TopicPartition partition) {
        Set<TopicPartition> others = new HashSet<>(
                consumer(partition).map(readings::get).map(Map::keySet).orElseGet(Set::of));
        others.remove(partition);
        return others;
    }

    private Optional<Object> consumer(TopicPartition partition) {
        return readings.entrySet().stream()
                .filter(entry -> entry.getValue().containsKey(partition))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** Notes, on its stream thread, that a consumer is closed. */
    public void closed(Object consumer) {
        readings.remove(consumer);
        polls.remove(consumer);
        uncommitted.remove(Thread.currentThread());
    }

    /** Whether a consumer of this process has the partition. */
    boolean owns(TopicPartition partition) {
        return readings.values().stream().anyMatch(all -> all.containsKey(partition));
    }

    boolean ownsAny() {
        return readings.values().stream().anyMatch(all -> !all.isEmpty());
    }

    Optional<Reading> reading(TopicPartition partition) {
        return readings.values().stream()
                .filter(all -> all.containsKey(partition))
                .map(all -> all.get(partition))
                .findFirst();
    }

    /** The present task of a partition: what it owes, and whether some of it is held up. Written by its stream thread. */
    public static final class Task implements AutoCloseable {
        private volatile boolean alive = true;
        private volatile int owed;
        private volatile int withoutRoom;
        private volatile int inHand;

        /** Null if no image is held up. */
        private volatile Long heldSince;

        private final LongSupplier clock;

        private Task(LongSupplier clock) {
            this.clock = clock;
        }

        /**
         * Notes the images of the task.
         *
         * @param owed those that owe their outcome
         * @param withoutRoom of these, those whose turn has come but which the model runtime has no room for
         * @param inHand of these, those that the model runtime works on
         */
        public void now(int owed, int withoutRoom, int inHand) {
            this.withoutRoom = withoutRoom;
            this.inHand = inHand;
            this.owed = owed;
        }

        /** Notes whether images are held up, while others may go on. */
        public void held(boolean any) {
            if (!any) {
                heldSince = null;
            } else if (heldSince == null) {
                heldSince = clock.getAsLong();
            }
        }

        /** Since when images have been held up without a pause. */
        Optional<Long> heldSince() {
            return Optional.ofNullable(heldSince);
        }

        boolean alive() {
            return alive;
        }

        int owed() {
            return owed;
        }

        int withoutRoom() {
            return withoutRoom;
        }

        int inHand() {
            return inHand;
        }

        /** The task ends. What it owes is still owed. */
        @Override
        public void close() {
            alive = false;
        }
    }

    /** Notes that a task has been initialised for a partition. */
    public Task task(TopicPartition partition) {
        Task task = new Task(clock);
        tasks.put(partition, task);
        return task;
    }

    /** The partition's present or last task in this process. */
    Optional<Task> lastTask(TopicPartition partition) {
        return Optional.ofNullable(tasks.get(partition));
    }

    /** Another instance has the partition: what is owed is its matter. */
    void forget(TopicPartition partition) {
        tasks.computeIfPresent(partition, (key, task) -> task.alive() ? task : null);
    }

    /** Notes, on a stream thread, that it has written an outcome of this partition. */
    public void outcome(TopicPartition partition) {
        uncommitted
                .computeIfAbsent(Thread.currentThread(), thread -> new HashSet<>())
                .add(partition);
    }

    /** Notes, on a stream thread, that its transaction begins: what an earlier one wrote and did not commit is void. */
    public void begun() {
        uncommitted.remove(Thread.currentThread());
    }

    /** Notes, on a stream thread, that its transaction is committed, with these offsets of its input. */
    public void committed(Map<TopicPartition, Long> offsets) {
        long now = now();
        offsets.forEach((partition, offset) -> committed(partition, offset, now));
        Set<TopicPartition> written = uncommitted.remove(Thread.currentThread());
        if (written != null) {
            written.forEach(partition -> outcomes.put(partition, now));
        }
    }

    /** Notes a committed offset; if it is no news, the time of the earlier note stays. */
    void committed(TopicPartition partition, long offset, long now) {
        commits.merge(
                partition,
                new Commit(offset, now),
                (before, after) -> after.offset() > before.offset() ? after : before);
    }

    /** A topic is another one now, and its offsets begin anew. */
    public void forget(String topic) {
        commits.keySet().removeIf(partition -> partition.topic().equals(topic));
    }

    /** The highest committed offset. */
    Optional<Commit> commit(TopicPartition partition) {
        return Optional.ofNullable(commits.get(partition));
    }

    /** When an outcome of the partition was last committed here. */
    Optional<Long> lastOutcome(TopicPartition partition) {
        return Optional.ofNullable(outcomes.get(partition));
    }

    /** Notes that a transaction of this process was fenced. */
    public void fenced(String message) {
        fence = new Fence(message, now());
    }

    /** The last time that a transaction was fenced. */
    Optional<Fence> fence() {
        return Optional.ofNullable(fence);
    }
}
