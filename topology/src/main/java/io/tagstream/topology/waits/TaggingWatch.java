/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import io.tagstream.model.DeviceState;
import io.tagstream.topology.waits.ClusterView.Offsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds partitions whose images wait without any of them coming out, and says why.
 *
 * <p>It watches the partitions of the images topic and of the re-keying topic that this instance has, and those that no
 * instance has. Images of a partition wait if its task owes outcomes, or if the cluster has records that the
 * application has not committed. If the task owes outcomes, only a committed outcome counts as progress; otherwise a
 * committed offset does, too. A partition is silent once its images have waited without progress for longer than
 * {@code health.tagging.after.ms}. Images that the model runtime works on have a time limit of their own, after which
 * they fail: if a partition waits for nothing else, that time is added.
 *
 * <p>Offsets alone do not tell whether there is anything to read, because transactions leave offsets that no reader
 * sees. So the consumers of this process also say how far they have read.
 *
 * <p><i>Threading notes.</i> One thread of its own asks the cluster, another one looks; {@link #close} ends both. Any
 * thread may call {@link #health}, which never blocks for long.
 */
public final class TaggingWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TaggingWatch.class);
    private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(50);

    /** The largest part of its time that a busy stream thread spends on waiting for records. */
    private static final double MOST_IDLE = 0.2;

    private static final Comparator<TopicPartition> IN_ORDER =
            Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);
    private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(2);

    /** What the watch asks of the instance. */
    public interface Instance {
        /** Why a stream thread is ending, if one is. */
        Optional<Wait> failedThread();

        /** Which topic is missing, if one is. */
        Optional<Wait> missingTopic();

        /** Why there is no vocabulary to tag with, if there is none. */
        Optional<String> withoutVocabulary();

        /** Whether a partition is not read on, because as many of its images owe their outcome as may. */
        boolean holds(TopicPartition partition);

        /** The longest that the model runtime may work on an image before the image fails. */
        Duration longestImage();

        /** The devices that run the model. */
        List<DeviceState> devices();
    }

    private final String taggingInput;
    private final String imagesTopic;
    private final Duration after;
    private final Progress progress;
    private final Restores restores;
    private final Waits waits;
    private final Instance instance;
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(2, task -> {
        Thread thread = new Thread(task, "tagstream-tagging-watch");
        thread.setDaemon(true);
        return thread;
    });

    /** What the cluster said last; null before it has said anything. Guarded by this. */
    private ClusterView view;

    /** When it said so, or when the watch began. Guarded by this. */
    private long viewAt;

    /** When partitions were last looked at. Guarded by this. */
    private long lookedAt;

    /** Null before the start. Guarded by this. */
    private ClusterReader cluster;

    /** The last known owner of each partition, by member id. Guarded by this. */
    private Map<TopicPartition, String> owners = Map.of();

    /** Where each partition ends for readers of committed records, and since when. Guarded by this. */
    private final Map<TopicPartition, Progress.Commit> stableEnds = new HashMap<>();

    /** Guarded by this. */
    private final Map<TopicPartition, Spell> spells = new LinkedHashMap<>();

    private volatile List<Report> reports = List.of();
    private volatile boolean anyWaits;

    /** Images of a partition wait, and none has come out since. */
    private static final class Spell {
        private final long since;
        private final Set<WaitReason> said = EnumSet.noneOf(WaitReason.class);
        private Wait wait;
        private boolean tooLong;

        /** When this spell was noticed, and how long the partition's stream thread had been idle by then. */
        private final long noticedAt;

        private final OptionalLong idleNanos;

        Spell(long since, long noticedAt, OptionalLong idleNanos) {
            this.since = since;
            this.noticedAt = noticedAt;
            this.idleNanos = idleNanos;
        }
    }

    /** A partition that has been silent for too long. */
    private record Report(TopicPartition partition, long since, Wait cause) {}

    /**
     * A watch that has yet to start.
     *
     * @param imagesTopic the application's input
     * @param taggingInput the topic that tagging tasks read: the re-keying topic, or the images topic
     * @param after how long images may wait
     */
    public TaggingWatch(
            String imagesTopic,
            String taggingInput,
            Duration after,
            Progress progress,
            Restores restores,
            Waits waits,
            Instance instance) {
        this.imagesTopic = imagesTopic;
        this.taggingInput = taggingInput;
        this.after = after;
        this.progress = progress;
        this.restores = restores;
        this.waits = waits;
        this.instance = instance;
        this.viewAt = progress.now();
        this.lookedAt = viewAt;
    }

    /**
     * Starts to watch.
     *
     * @param settings of Kafka's clients
     * @param group the application's consumer group
     */
    public void start(Map<String, Object> settings, String group) {
        ClusterReader reader = new ClusterReader(
                settings,
                group,
                List.of(imagesTopic, taggingInput).stream().distinct().toList());
        synchronized (this) {
            cluster = reader;
            viewAt = progress.now();
            lookedAt = viewAt;
        }
        long interval = interval().toMillis();
        var unusedAsking = threads.scheduleWithFixedDelay(() -> ask(reader), 0, interval, TimeUnit.MILLISECONDS);
        var unusedLooking = threads.scheduleWithFixedDelay(this::look, interval, interval, TimeUnit.MILLISECONDS);
    }

    private Duration interval() {
        Duration tenth = after.dividedBy(10);
        Duration shortest = tenth.compareTo(SHORTEST_INTERVAL) < 0 ? SHORTEST_INTERVAL : tenth;
        return shortest.compareTo(LONGEST_INTERVAL) < 0 ? shortest : LONGEST_INTERVAL;
    }

    private void ask(ClusterReader reader) {
        try {
            saw(reader.read());
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            log.debug("The cluster does not say how far its images are tagged", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.error("The cluster's answer about its images is not understood; tell the makers of Tagstream", e);
        }
    }

    /** Takes in what the cluster says. */
    synchronized void saw(ClusterView fresh) {
        long now = progress.now();
        view = fresh;
        viewAt = now;
        fresh.offsets().forEach((partition, offsets) -> {
            offsets.committed().ifPresent(offset -> progress.committed(partition, offset, now));
            stableEnds.merge(
                    partition,
                    new Progress.Commit(offsets.stable(), now),
                    (before, after) -> after.offset() == before.offset() ? before : after);
        });
        if (!fresh.owners().isEmpty()) { // in a rebalance, the cluster knows of no owners
            owners = Map.copyOf(fresh.owners());
        }
    }

    /** Looks at every partition. */
    void look() {
        try {
            lookAtAll();
        } catch (RuntimeException e) {
            log.error("Partitions cannot be looked at; tell the makers of Tagstream", e);
        }
    }

    private synchronized void lookAtAll() {
        long now = progress.now();
        if (now - lookedAt > after.toNanos() / 2) { // this process stood still, which says nothing about the cluster
            viewAt = now;
        }
        lookedAt = now;
        boolean away = now - viewAt > after.toNanos();
        // while the cluster has yet to say which partitions there are, the first stands for all
        List<TopicPartition> partitions = view == null
                ? List.of(new TopicPartition(imagesTopic, 0))
                : view.partitions().stream().sorted(IN_ORDER).toList();
        Map<Wait, List<TopicPartition>> news = new LinkedHashMap<>();
        for (TopicPartition partition : partitions) {
            look(partition, away, now)
                    .ifPresent(wait ->
                            news.computeIfAbsent(wait, key -> new ArrayList<>()).add(partition));
        }
        news.forEach((wait, these) -> log.warn(
                "Images of {} wait{} ({}): {}. {}",
                named(these),
                wait.reason() == WaitReason.REGISTRY_AWAY ? "" : " and none comes out",
                wait.reason(),
                wait.detail(),
                wait.reason().remedy()));
        List<Report> found = new ArrayList<>();
        spells.forEach((partition, spell) -> {
            if (spell.tooLong) {
                found.add(new Report(partition, spell.since, spell.wait));
            }
        });
        reports = List.copyOf(found);
        anyWaits = !spells.isEmpty();
        long longest = spells.values().stream()
                .mapToLong(spell -> now - spell.since)
                .max()
                .orElse(0);
        waits.silent(
                found.stream().collect(Collectors.toMap(Report::partition, Report::cause)), Duration.ofNanos(longest));
    }

    /** Looks at a partition; returns what there is to log. */
    private Optional<Wait> look(TopicPartition partition, boolean away, long now) {
        if (!progress.owns(partition) && isElsewhere(partition)) {
            progress.forget(partition);
            waits.endAtAdmission(partition.partition());
            end(partition, now);
            return Optional.empty();
        }
        boolean waiting = true;
        long progressAt = viewAt;
        if (!away) {
            boolean owes = owes(partition);
            boolean unread = view != null && unread(partition, view.offsets().get(partition));
            boolean open = view != null
                    && view.offsets().get(partition).stable()
                            < view.offsets().get(partition).end();
            Optional<Restores.Left> restoring = restoring(partition);
            waiting = owes || unread || open || restoring.isPresent();
            if (owes) {
                long last = progress.lastOutcome(partition).orElse(Long.MIN_VALUE);
                // what others come to is no progress of those that are held up
                progressAt = progress.lastTask(partition)
                        .flatMap(Progress.Task::heldSince)
                        .filter(since -> last == Long.MIN_VALUE || since - last < 0)
                        .orElse(last);
            } else if (unread) {
                progressAt =
                        later(progress.commit(partition).map(Progress.Commit::at), progress.lastOutcome(partition));
            } else if (open) {
                progressAt = stableEnds.get(partition).at();
            } else {
                progressAt = restoring.map(Restores.Left::advancedAt).orElse(Long.MIN_VALUE);
            }
        }
        if (!waiting) {
            end(partition, now);
            return Optional.empty();
        }
        Spell spell = spells.computeIfAbsent(
                partition, key -> new Spell(away ? viewAt : now, now, progress.idleNanos(partition)));
        if (progressAt != Long.MIN_VALUE && progressAt - spell.since > 0) {
            end(partition, now);
            spell = new Spell(progressAt, now, progress.idleNanos(partition));
            spells.put(partition, spell);
        }
        spell.wait = reason(partition, away, spell);
        Duration limit = spell.wait.reason() == WaitReason.SLOW_IMAGES ? after.plus(instance.longestImage()) : after;
        spell.tooLong = spell.tooLong || now - spell.since > limit.toNanos();
        boolean logged =
                waits.of(partition.partition()).filter(spell.wait::equals).isPresent();
        boolean news = spell.tooLong && spell.said.add(spell.wait.reason()) && !logged;
        return news ? Optional.of(spell.wait) : Optional.empty();
    }

    private static long later(Optional<Long> a, Optional<Long> b) {
        return Stream.of(a, b)
                .flatMap(Optional::stream)
                .reduce((x, y) -> x - y > 0 ? x : y)
                .orElse(Long.MIN_VALUE);
    }

    private void end(TopicPartition partition, long now) {
        Spell ended = spells.remove(partition);
        if (ended != null && ended.tooLong) {
            log.info(
                    "Images of {} have stopped waiting, after {} s",
                    named(List.of(partition)),
                    TimeUnit.NANOSECONDS.toSeconds(now - ended.since));
        }
    }

    /** Whether another process has the partition. */
    private boolean isElsewhere(TopicPartition partition) {
        String owner = owners.get(partition);
        if (view == null || owner == null) {
            return false;
        }
        String client = view.members().get(owner);
        return client != null && !progress.isClient(client);
    }

    private boolean isTagging(TopicPartition partition) {
        return partition.topic().equals(taggingInput);
    }

    private boolean owes(TopicPartition partition) {
        return isTagging(partition)
                && progress.lastTask(partition).filter(task -> task.owed() > 0).isPresent();
    }

    /** Whether there are committed records that the application has not committed. */
    private boolean unread(TopicPartition partition, Offsets offsets) {
        long committed = progress.commit(partition).map(Progress.Commit::offset).orElse(offsets.beginning());
        if (offsets.stable() <= committed) {
            return false;
        }
        return progress.reading(partition)
                .filter(reading -> reading.position() >= offsets.stable() && reading.delivered() <= committed)
                .isEmpty();
    }

    private Optional<Restores.Left> restoring(TopicPartition partition) {
        return isTagging(partition) && progress.owns(partition) && !works(partition)
                ? restores.of(partition.partition())
                : Optional.empty();
    }

    /** Whether a task of this process works on the partition. */
    private boolean works(TopicPartition partition) {
        return progress.owns(partition)
                && (!isTagging(partition)
                        || progress.lastTask(partition)
                                .filter(Progress.Task::alive)
                                .isPresent());
    }

    /** Why images of a partition wait. */
    private Wait reason(TopicPartition partition, boolean away, Spell spell) {
        Optional<Wait> missing = instance.missingTopic();
        if (missing.isPresent()) {
            return missing.get();
        }
        return away ? new Wait(WaitReason.KAFKA_AWAY, "the Kafka cluster does not answer") : reason(partition, spell);
    }

    private Wait reason(TopicPartition partition, Spell spell) {
        boolean works = works(partition);
        boolean owes = owes(partition);
        Optional<Wait> known = Optional.empty();
        if (partition.topic().equals(imagesTopic)) {
            known = waits.atAdmission(partition.partition());
        }
        if (known.isEmpty() && works && isTagging(partition)) {
            known = waits.of(partition.partition())
                    .or(() -> instance.withoutVocabulary()
                            .map(why -> waits.ofLabels()
                                    .orElseGet(() -> new Wait(WaitReason.VOCABULARY_NOT_ENCODED, why))));
        }
        if (known.isEmpty() && works && owes) {
            known = inHand(partition, progress.lastTask(partition).orElseThrow());
        }
        return known.or(() -> works ? Optional.empty() : instance.failedThread())
                .or(() -> works ? Optional.empty() : waits.ofAll())
                .or(waits::atAdmission)
                .or(() -> fenced(spell.since))
                .or(() -> restoring(partition)
                        .map(left -> new Wait(
                                WaitReason.RESTORING,
                                "%d of %d records of its state are restored"
                                        .formatted(left.restored(), left.records()))))
                .orElseGet(() -> works ? unexplained(partition, spell) : rebalancing(partition));
    }

    /** What images that a task owes are waiting for, if it is the model runtime. */
    private Optional<Wait> inHand(TopicPartition partition, Progress.Task task) {
        if (instance.holds(partition)) {
            return Optional.of(new Wait(
                    WaitReason.NO_ROOM,
                    "as many of its images owe their outcome as may; it is not read on until one has it"));
        }
        if (task.withoutRoom() > 0) {
            return Optional.of(new Wait(WaitReason.NO_ROOM, "the model runtime has no room for more images"));
        }
        return task.inHand() > 0
                ? Optional.of(new Wait(
                        WaitReason.SLOW_IMAGES, "images are being fetched and scored, and none has been finished"))
                : Optional.empty();
    }

    private Optional<Wait> fenced(long since) {
        return progress.fence()
                .filter(fence -> fence.at() - since + after.toNanos() >= 0) // the wait is noticed a little later
                .map(fence -> new Wait(WaitReason.FENCED, "a transaction was given up: " + fence.message()));
    }

    private Wait unexplained(TopicPartition partition, Spell spell) {
        Offsets offsets = view == null ? null : view.offsets().get(partition);
        return offsets != null && offsets.stable() < offsets.end() && !owes(partition) && !unread(partition, offsets)
                ? new Wait(
                        WaitReason.TRANSACTION_OPEN,
                        "a producer's transaction is open from offset %d on, and what follows cannot be read"
                                .formatted(offsets.stable()))
                : busy(partition, spell)
                        .orElseGet(() ->
                                new Wait(WaitReason.UNEXPLAINED, "nothing that this instance knows of is in the way"));
    }

    /** Whether the partition's stream thread has hardly been idle, and gets on with other partitions. */
    private Optional<Wait> busy(TopicPartition partition, Spell spell) {
        long now = progress.now();
        long time = now - spell.noticedAt;
        OptionalLong idle = progress.idleNanos(partition);
        if (time <= 0 || idle.isEmpty() || spell.idleNanos.isEmpty()) {
            return Optional.empty();
        }
        long idleMeanwhile = idle.getAsLong() - spell.idleNanos.getAsLong(); // negative for another thread
        List<TopicPartition> others = progress.besides(partition).stream()
                .filter(other -> getsOn(other, spell, now))
                .sorted(IN_ORDER)
                .toList();
        return idleMeanwhile < 0 || idleMeanwhile > MOST_IDLE * time || others.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new Wait(WaitReason.THREAD_BUSY, "its stream thread is busy with images of " + named(others)));
    }

    private boolean getsOn(TopicPartition other, Spell spell, long now) {
        return Stream.of(progress.commit(other).map(Progress.Commit::at), progress.lastOutcome(other))
                .flatMap(Optional::stream)
                .anyMatch(at -> at - spell.since > 0 && now - at <= after.toNanos());
    }

    private Wait rebalancing(TopicPartition partition) {
        return new Wait(
                WaitReason.REBALANCING,
                progress.owns(partition)
                        ? "this instance has the partition, but does not work on it yet"
                        : "no instance has the partition");
    }

    /** Whether images wait, as of now. */
    public TaggingHealth health() {
        TaggingHealth images = withDevices(healthOfImages());
        return waits.ofLabels()
                .map(wait -> new TaggingHealth(
                        images.healthy(),
                        "%s%schanges of labels wait (%s): %s. %s"
                                .formatted(
                                        images.text(),
                                        images.healthy() ? "; " : "\n",
                                        wait.reason(),
                                        wait.detail(),
                                        wait.reason().remedy())))
                .orElse(images);
    }

    /** The same, with the devices that fail: images wait for the others, or for all of them. */
    private TaggingHealth withDevices(TaggingHealth images) {
        List<DeviceState> devices = instance.devices();
        List<String> failing = devices.stream()
                .flatMap(device -> device.failure().stream()
                        .map(failure -> "%s has failed since %s: %s"
                                .formatted(
                                        device.name(),
                                        failure.since().truncatedTo(ChronoUnit.SECONDS),
                                        failure.message())))
                .toList();
        return failing.isEmpty()
                ? images
                : new TaggingHealth(
                        images.healthy(),
                        "%s%s%d of the model's %d devices get no images until they work again: %s"
                                .formatted(
                                        images.text(),
                                        images.healthy() ? "; " : "\n",
                                        failing.size(),
                                        devices.size(),
                                        String.join("; ", failing)));
    }

    private TaggingHealth healthOfImages() {
        List<Report> found = reports;
        if (!found.isEmpty()) {
            long now = progress.now();
            Map<Wait, List<Report>> byWait = found.stream()
                    .collect(Collectors.groupingBy(Report::cause, LinkedHashMap::new, Collectors.toList()));
            return TaggingHealth.waiting(byWait.entrySet().stream()
                    .map(entry -> line(entry.getKey(), entry.getValue(), now))
                    .collect(Collectors.joining("\n")));
        }
        if (anyWaits) {
            return TaggingHealth.well("tagging");
        }
        if (waits.ofAll().isPresent()) {
            Wait wait = waits.ofAll().get();
            return TaggingHealth.well("this instance takes no partitions (%s): %s. %s"
                    .formatted(wait.reason(), wait.detail(), wait.reason().remedy()));
        }
        String idle = progress.ownsAny() ? "idle" : "without a partition";
        return TaggingHealth.well(waits.first()
                .map(first -> "%s; new images of partition %d would wait (%s): %s. %s"
                        .formatted(
                                idle,
                                first.getKey(),
                                first.getValue().reason(),
                                first.getValue().detail(),
                                first.getValue().reason().remedy()))
                .orElse(idle));
    }

    private static String line(Wait wait, List<Report> these, long now) {
        long longest =
                these.stream().mapToLong(report -> now - report.since()).max().orElseThrow();
        return "images of %s have waited for %d s%s (%s): %s. %s"
                .formatted(
                        named(these.stream().map(Report::partition).toList()),
                        TimeUnit.NANOSECONDS.toSeconds(longest),
                        wait.reason() == WaitReason.REGISTRY_AWAY ? "" : " without any coming out",
                        wait.reason(),
                        wait.detail(),
                        wait.reason().remedy());
    }

    /** Such as "partitions 1, 2 of images". */
    private static String named(List<TopicPartition> partitions) {
        Map<String, List<TopicPartition>> byTopic = partitions.stream()
                .collect(Collectors.groupingBy(TopicPartition::topic, LinkedHashMap::new, Collectors.toList()));
        return byTopic.entrySet().stream()
                .map(entry -> "%s %s of %s"
                        .formatted(
                                entry.getValue().size() == 1 ? "partition" : "partitions",
                                entry.getValue().stream()
                                        .map(each -> String.valueOf(each.partition()))
                                        .collect(Collectors.joining(", ")),
                                entry.getKey()))
                .collect(Collectors.joining(" and "));
    }

    @Override
    public void close() {
        threads.shutdownNow();
        synchronized (this) {
            if (cluster != null) {
                cluster.close();
            }
        }
    }
}
