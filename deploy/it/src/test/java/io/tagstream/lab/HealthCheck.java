/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.lab.Violation.Kind;
import io.tagstream.topology.waits.WaitReason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Compares what instances say at {@code /health/tagging} with what is true: a partition that is silent for longer than
 * stated must be named, with a reason that fits the faults; a partition whose images come out must not.
 *
 * <p><i>Threading notes.</i> One thread checks; others may call the rest.
 */
final class HealthCheck {
    /** What an instance's process said at a moment. */
    record Answer(String process, Instant at, boolean healthy, String text) {}

    private static final Pattern WAITING =
            Pattern.compile("images of (.+) have waited for ([0-9]+) s without any coming out \\(([A-Z_]+)\\)");
    private static final Pattern PARTITIONS = Pattern.compile("partitions? ([0-9, ]+) of ([^ ]+)");

    /** What instances say of short waits when nothing is wrong but the machine is busy. */
    private static final Set<WaitReason> SLOW_MACHINE =
            EnumSet.of(WaitReason.UNEXPLAINED, WaitReason.THREAD_BUSY, WaitReason.SLOW_IMAGES, WaitReason.NO_ROOM);

    /** Instances look at their partitions this rarely, and answers and outcomes reach the laboratory a little late. */
    private static final Duration STALE = Duration.ofSeconds(5);

    /** A process that gives no answer for this long has died or was frozen, and begins to count anew. */
    private static final Duration LONGEST_GAP = Duration.ofSeconds(3);

    private final Flow flow;
    private final Effects effects;
    private final Limits limits;
    private final String taggingInput;
    private final List<Violation> violations = new ArrayList<>();

    /** Since when each process has answered without a gap, and when it last did. */
    private final Map<String, Instant> answeringSince = new HashMap<>();

    private final Map<String, Instant> answeredAt = new HashMap<>();

    /** Silences that have been reported as unnamed, so that each is reported once. */
    private final Set<String> unnamed = new HashSet<>();

    private final Map<WaitReason, Integer> named = new LinkedHashMap<>();

    /**
     * What instances are configured to.
     *
     * @param after how long images may wait before health says so
     * @param image how much longer, if they are being fetched
     * @param session for how long the partitions of a dead instance count as its own
     */
    record Limits(Duration after, Duration image, Duration session) {}

    /** {@code taggingInput} is the topic that tagging tasks read. */
    HealthCheck(Flow flow, Effects effects, Limits limits, String taggingInput) {
        this.flow = flow;
        this.effects = effects;
        this.limits = limits;
        this.taggingInput = taggingInput;
    }

    /** Begins to judge: what was before does not count. */
    synchronized void begin() {
        violations.clear();
        named.clear();
    }

    /** Checks what the living instances say at the moment; one that does not answer is not among the answers. */
    synchronized void check(List<Answer> answers, int instances, Instant now) {
        answers.forEach(this::note);
        answers.forEach(this::checkNamed);
        for (int partition = 0; partition < flow.partitions(); partition++) {
            checkUnnamed(partition, answers, instances, now);
        }
    }

    private void note(Answer answer) {
        Instant before = answeredAt.put(answer.process(), answer.at());
        if (before == null || before.plus(effects.scaled(LONGEST_GAP)).isBefore(answer.at())) {
            answeringSince.put(answer.process(), answer.at());
        }
    }

    private void checkNamed(Answer answer) {
        Matcher waiting = WAITING.matcher(answer.text());
        while (waiting.find()) {
            Duration waited = Duration.ofSeconds(Long.parseLong(waiting.group(2)));
            WaitReason reason = WaitReason.valueOf(waiting.group(3));
            named.merge(reason, 1, Integer::sum);
            Instant since = answer.at().minus(waited);
            if (!fits(reason, waited, answer)) {
                report(answer, "%s does not fit the faults %s".formatted(reason, effects.between(since, answer.at())));
            }
            partitions(waiting.group(1))
                    .forEach(partition -> flow.lastOutcome(partition)
                            .filter(outcome -> outcome.isAfter(since.plusSeconds(1))
                                    && outcome.isBefore(answer.at().minus(effects.scaled(STALE))))
                            .ifPresent(outcome ->
                                    report(answer, "partition %d had an outcome at %s".formatted(partition, outcome))));
        }
    }

    private boolean fits(WaitReason reason, Duration waited, Answer answer) {
        Instant since = answer.at().minus(waited);
        // an instance cannot know that its machine is busy
        boolean machine = SLOW_MACHINE.contains(reason) && waited.compareTo(effects.scaled(Silences.WITHOUT_FAULT)) < 0;
        return machine
                || effects.reasons(since.minus(limits.after()), answer.at()).contains(reason);
    }

    /** The partitions of the tagging tasks among those that are named. */
    private Stream<Integer> partitions(String named) {
        Matcher partitions = PARTITIONS.matcher(named);
        Stream.Builder<Integer> found = Stream.builder();
        while (partitions.find()) {
            if (partitions.group(2).equals(taggingInput)) {
                for (String partition : partitions.group(1).split(", ", -1)) {
                    found.add(Integer.parseInt(partition));
                }
            }
        }
        return found.build();
    }

    private void checkUnnamed(int partition, List<Answer> answers, int instances, Instant now) {
        Instant since = flow.silentSince(partition).orElse(now);
        Duration limit = limit(since, now);
        boolean longEnough = since.plus(limit).isBefore(now);
        boolean allCouldKnow = answers.size() == instances
                && answers.stream()
                        .allMatch(answer ->
                                answeringSince.get(answer.process()).plus(limit).isBefore(now));
        if (longEnough
                && allCouldKnow
                && answers.stream().allMatch(Answer::healthy)
                && unnamed.add(partition + " " + since)) {
            violations.add(new Violation(
                    Kind.UNTRUE_HEALTH,
                    "at %s, partition %d had been silent since %s, and no instance said so: %s"
                            .formatted(now, partition, since, answers)));
        }
    }

    private Duration limit(Instant since, Instant now) {
        Duration limit = limits.after().plus(effects.scaled(STALE));
        List<Fault> faults = effects.between(since.minus(limits.session()), now);
        if (faults.stream().anyMatch(fault -> fault.kind() == Fault.Kind.IMAGES)) {
            limit = limit.plus(limits.image());
        }
        return faults.stream().anyMatch(fault -> fault.kind() != Fault.Kind.IMAGES)
                ? limit.plus(limits.session())
                : limit;
    }

    private void report(Answer answer, String why) {
        violations.add(new Violation(Kind.UNTRUE_HEALTH, "%s, but %s".formatted(answer, why)));
    }

    /** What was untrue. */
    synchronized List<Violation> violations() {
        return List.copyOf(violations);
    }

    /** How often each reason was named. */
    synchronized Map<WaitReason, Integer> named() {
        return Map.copyOf(named);
    }
}
