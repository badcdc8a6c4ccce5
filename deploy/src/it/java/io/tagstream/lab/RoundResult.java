/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What came of a round.
 *
 * @param faults how many of each kind happened
 * @param missed faults that did not come about
 * @param submissions records that were submitted and checked
 * @param surrenders ends of instances that nobody asked for
 */
record RoundResult(
        RoundPlan plan,
        Map<String, Integer> faults,
        List<Fault> missed,
        long submissions,
        List<String> surrenders,
        List<Violation> violations,
        Duration took) {

    int injected() {
        return faults.values().stream().mapToInt(Integer::intValue).sum();
    }

    long count(Violation.Kind kind) {
        return violations.stream().filter(violation -> violation.kind() == kind).count();
    }
}
