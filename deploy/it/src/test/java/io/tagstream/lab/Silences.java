/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.lab.Violation.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How long faults made partitions silent while images waited.
 *
 * @param alone the longest silence of each fault that was the only one at the time
 * @param together the longest silence of faults that came close together, by their names
 */
record Silences(Map<Fault, Duration> alone, Map<String, Duration> together) {
    /** Without any fault, a partition may be silent for this long: at a start, or on a machine with other work. */
    static final Duration WITHOUT_FAULT = Duration.ofSeconds(15);

    /** Sorts silences by the faults that had an effect meanwhile. */
    static Silences of(Collection<Silence> silences, Effects effects) {
        Map<Fault, Duration> alone = new EnumMap<>(Fault.class);
        Map<String, Duration> together = new TreeMap<>();
        for (Silence silence : silences) {
            List<Fault> faults = effects.between(silence.begin(), silence.end());
            if (faults.size() == 1) {
                alone.merge(faults.get(0), silence.length(), Silences::longer);
            } else {
                together.merge(named(faults), silence.length(), Silences::longer);
            }
        }
        return new Silences(alone, together);
    }

    /** Silences that were too long. The bounds of faults that come close together add up. */
    static List<Violation> check(Collection<Silence> silences, Effects effects) {
        List<Violation> violations = new ArrayList<>();
        for (Silence silence : silences) {
            List<Fault> faults = effects.between(silence.begin(), silence.end());
            Duration bound = faults.stream()
                    .map(effects::bound)
                    .reduce(effects.scaled(faults.isEmpty() ? WITHOUT_FAULT : Duration.ZERO), Duration::plus);
            if (silence.length().compareTo(bound) > 0) {
                violations.add(new Violation(
                        Kind.SILENT_TOO_LONG,
                        "partition %d was silent for %s from %s on, with %s, whose bound is %s"
                                .formatted(
                                        silence.partition(),
                                        seconds(silence.length()),
                                        silence.begin(),
                                        named(faults),
                                        seconds(bound))));
            }
        }
        return violations;
    }

    /** The longest silences of several rounds. */
    static Silences longest(Collection<Silences> rounds) {
        Map<Fault, Duration> alone = new EnumMap<>(Fault.class);
        Map<String, Duration> together = new TreeMap<>();
        rounds.forEach(round -> {
            round.alone().forEach((fault, length) -> alone.merge(fault, length, Silences::longer));
            round.together().forEach((faults, length) -> together.merge(faults, length, Silences::longer));
        });
        return new Silences(alone, together);
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    private static String named(Collection<Fault> faults) {
        return faults.isEmpty()
                ? "no fault"
                : EnumSet.copyOf(faults).stream().map(Fault::name).collect(Collectors.joining("+"));
    }

    static String seconds(Duration length) {
        return "%.1f s".formatted(length.toMillis() / 1e3);
    }

    /** For a person: the longest silence of each fault, and of faults together. */
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        alone.forEach(
                (fault, length) -> parts.add("%s %s of %s".formatted(fault, seconds(length), seconds(fault.bound()))));
        together.values().stream()
                .reduce(Silences::longer)
                .ifPresent(length -> parts.add("together " + seconds(length)));
        return parts.isEmpty() ? "none of a second" : String.join(", ", parts);
    }
}
