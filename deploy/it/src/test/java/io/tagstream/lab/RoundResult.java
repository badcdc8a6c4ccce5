/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The result of a round.
 *
 * @param faults how many of each kind happened
 * @param missed faults that did not happen
 * @param submissions records that were submitted and checked
 * @param edits edits of the vocabulary
 * @param silences how long partitions were silent
 * @param healthNamed how often health named each reason
 * @param surrenders instances that ended without being asked to
 */
record RoundResult(
        RoundPlan plan,
        Map<String, Integer> faults,
        List<Fault> missed,
        long submissions,
        int edits,
        Silences silences,
        String healthNamed,
        List<String> surrenders,
        List<Violation> violations,
        Duration took) {

    int injected() {
        return faults.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** How many violations there are of each kind. */
    Map<Violation.Kind, Long> kinds() {
        return violations.stream().collect(Collectors.groupingBy(Violation::kind, TreeMap::new, Collectors.counting()));
    }

    long count(Violation.Kind kind) {
        return violations.stream().filter(violation -> violation.kind() == kind).count();
    }
}
