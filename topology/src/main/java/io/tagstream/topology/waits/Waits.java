/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose images are waiting: those whose tasks say what they lack, and those that {@link TaggingWatch} has
 * found silent. What tasks say is logged once, with what to do, however many partitions have it.
 *
 * <p>An instance whose bundle is not in force takes no partitions: then all of it waits. Changes of labels can wait, too,
 * while images are tagged with the labels in force.
 *
 * <p><i>Threading notes.</i> A task's stream thread reports its waits, the watch what it has found; any thread may ask.
 */
public final class Waits {
    private static final Logger log = LoggerFactory.getLogger(Waits.class);

    /** By partition of the tagging tasks' input. */
    private final Map<Integer, Wait> waits = new ConcurrentHashMap<>();

    /** By partition of the images topic. */
    private final Map<Integer, Wait> atAdmission = new ConcurrentHashMap<>();

    /** Why this instance takes no partitions; null if it may. */
    private volatile Wait all;

    /** Why changes of labels wait; null if none does. */
    private volatile Wait labels;

    private volatile int waitingLabels;
    private volatile Map<TopicPartition, Wait> silent = Map.of();
    private volatile Duration longest = Duration.ZERO;

    /** Notes that a partition is waiting. */
    public void begin(int partition, Wait wait) {
        if (wait.equals(waits.get(partition))) {
            return;
        }
        boolean news = !waits.containsValue(wait);
        waits.put(partition, wait);
        if (news) {
            log.warn(
                    "Partition {} is waiting ({}): {}. {}",
                    partition,
                    wait.reason(),
                    wait.detail(),
                    wait.reason().remedy());
        }
    }

    /** Notes that a partition has stopped waiting, or has left this instance. */
    public void end(int partition) {
        if (waits.remove(partition) != null && waits.isEmpty()) {
            log.info("No partition is waiting any longer");
        }
    }

    /** Notes that this instance takes no partitions. Used by one thread. */
    public void beginAll(Wait wait) {
        if (!wait.equals(all)) {
            all = wait;
            log.warn(
                    "This instance waits and takes no partitions ({}): {}. {}",
                    wait.reason(),
                    wait.detail(),
                    wait.reason().remedy());
        }
    }

    /** Notes that this instance may take partitions. Used by one thread. */
    public void endAll() {
        if (all != null) {
            all = null;
            log.info("This instance takes partitions again");
        }
    }

    /** Why this instance takes no partitions; empty if it may. */
    public Optional<Wait> ofAll() {
        return Optional.ofNullable(all);
    }

    /**
     * Notes that changes of labels are waiting, while the labels in force stay in force. Used by the label encoder.
     *
     * @param changes how many are known to wait
     */
    public void beginLabels(int changes, Wait wait) {
        waitingLabels = changes;
        if (labels == null) {
            log.warn(
                    "Changes of labels wait, and so do those after them ({}): {}. {}",
                    wait.reason(),
                    wait.detail(),
                    wait.reason().remedy());
        }
        labels = wait;
    }

    /** Notes that no change of labels is waiting, or that another instance has the label encoder. */
    public void endLabels() {
        waitingLabels = 0;
        if (labels != null) {
            labels = null;
            log.info("No change of labels waits here any longer");
        }
    }

    /** What changes of labels are waiting for; empty if none waits. */
    public Optional<Wait> ofLabels() {
        return Optional.ofNullable(labels);
    }

    /** The number of changes of labels that wait. */
    public int waitingLabels() {
        return waitingLabels;
    }

    /**
     * Notes that a partition of the images topic is waiting. That is nothing to log yet, since it may pass in a moment.
     *
     * @return whether that is news
     */
    public boolean beginAtAdmission(int partition, Wait wait) {
        return atAdmission.put(partition, wait) == null;
    }

    /** Notes that a partition of the images topic has stopped waiting. */
    public void endAtAdmission(int partition) {
        atAdmission.remove(partition);
    }

    /** What a tagging task is waiting for. */
    public Optional<Wait> of(int partition) {
        return Optional.ofNullable(waits.get(partition));
    }

    Optional<Wait> atAdmission(int partition) {
        return Optional.ofNullable(atAdmission.get(partition));
    }

    /** What any partition of the images topic is waiting for. */
    Optional<Wait> atAdmission() {
        return atAdmission.values().stream().findFirst();
    }

    /** What the first of the tagging tasks that wait is waiting for, with its partition. */
    Optional<Map.Entry<Integer, Wait>> first() {
        return waits.entrySet().stream().min(Map.Entry.comparingByKey());
    }

    /**
     * Notes which partitions have been silent for too long while images wait.
     *
     * @param longest how long images of any partition have waited, too long or not
     */
    void silent(Map<TopicPartition, Wait> partitions, Duration longest) {
        this.silent = Map.copyOf(partitions);
        this.longest = longest;
    }

    /** The number of partitions that are waiting for this reason. */
    public long partitions(WaitReason reason) {
        Map<TopicPartition, Wait> found = silent;
        long declared = waits.entrySet().stream()
                .filter(entry -> entry.getValue().reason() == reason)
                .filter(entry -> found.entrySet().stream()
                        .noneMatch(each -> each.getKey().partition() == entry.getKey()
                                && each.getValue().reason() == reason))
                .count();
        return declared
                + found.values().stream()
                        .filter(wait -> wait.reason() == reason)
                        .count();
    }

    /** The longest time that images of a partition have now waited without any of them coming out, in seconds. */
    public double longestSeconds() {
        return longest.toMillis() / 1e3;
    }
}
