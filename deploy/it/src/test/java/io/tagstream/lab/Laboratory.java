/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code deploy/laboratory}: runs rounds until time is up. */
@Command(
        name = "laboratory",
        description = {
            "Breaks Tagstream and checks that no outcome is lost, duplicated or out of order. Each round has its own"
                    + " seed, broker, instances and faults; the rounds of a run have consecutive seeds."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no round had a violation",
            "1:a round had a violation or could not run; its directory is kept",
            "2:wrong usage",
            "130:stopped early"
        })
final class Laboratory implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int MOST_TOLD = 10;
    private static final int INTERRUPTED = 130;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            defaultValue = "5",
            description = "For how many minutes to start rounds. Default: ${DEFAULT-VALUE}.")
    private int minutes;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "2147483647",
            description = "Maximum number of rounds.")
    private int rounds;

    @Option(names = "--seed", paramLabel = "S", description = "The first round's seed. Default: from the clock.")
    private long seed = System.currentTimeMillis();

    @Option(
            names = "--faults",
            paramLabel = "N",
            defaultValue = "12",
            description = "Faults per round. Default: ${DEFAULT-VALUE}.")
    private int faults;

    @Option(
            names = "--only",
            paramLabel = "FAULT",
            split = ",",
            description = "Only these faults, in this order, in every round: ${COMPLETION-CANDIDATES}.")
    private List<Fault> only = List.of();

    @Option(
            names = "--edits",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Minimum number of vocabulary edits per round, several per second. Default: occasional edits.")
    private int edits;

    @Option(
            names = "--known",
            paramLabel = "N",
            defaultValue = "0",
            description = "Measure silences at this state: two instances, four partitions with N known images each, one"
                    + " fault after another. Default: rounds of all kinds, from an empty state.")
    private int known;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A setting of the instances, such as standby.replicas=0; may be repeated.")
    private Map<String, String> settings = Map.of();

    @Option(
            names = "--crossed-features",
            description = "Give every image the features of another one, to see that the checks find it.")
    private boolean crossedFeatures;

    @Option(
            names = "--slack",
            paramLabel = "F",
            defaultValue = "1",
            description = "Factor for all bounds of silence, for a busy machine. Default: ${DEFAULT-VALUE}.")
    private double slack;

    @Option(names = "--keep", description = "Also keep the directories of rounds without violations.")
    private boolean keep;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Where rounds write. Default: a temporary directory.")
    private Path directory;

    private final List<RoundResult> results = new CopyOnWriteArrayList<>();
    private volatile boolean ended;

    public static void main(String[] arguments) {
        Laboratory laboratory = new Laboratory();
        Runtime.getRuntime().addShutdownHook(new Thread(laboratory::endEarly));
        int exitCode = new CommandLine(laboratory).execute(arguments);
        laboratory.ended = true;
        System.exit(exitCode);
    }

    /** Ends early, for example on Ctrl-C: leaves no processes, not even frozen ones; reports the results so far. */
    private void endEarly() {
        if (!ended) {
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
            System.out.println("Stopped early; the last round does not count");
            summarize();
            Runtime.getRuntime().halt(INTERRUPTED);
        }
    }

    @Override
    public Integer call() throws Exception {
        Path base = directory == null
                ? Files.createTempDirectory("tagstream-laboratory-")
                : Files.createDirectories(directory);
        Instant end = Instant.now().plus(Duration.ofMinutes(minutes));
        boolean well = true;
        for (int i = 0; i < rounds && Instant.now().isBefore(end); i++) {
            well &= round(base, seed + i);
        }
        summarize();
        return well ? 0 : 1;
    }

    private boolean round(Path base, long roundSeed) throws Exception {
        RoundPlan plan = RoundPlan.draw(roundSeed, faults);
        if (!only.isEmpty()) {
            plan = plan.withFaults(only);
        }
        if (known > 0) {
            plan = RoundPlan.measuring(roundSeed, plan.faults());
        }
        Path roundDirectory = Files.createDirectories(base.resolve("round-" + roundSeed));
        System.out.println(plan);
        RoundResult result;
        try {
            result = new Round(
                            plan,
                            roundDirectory,
                            new Round.Conditions(PATIENCE, edits, known, crossedFeatures, slack, settings))
                    .run();
        } catch (IOException | RuntimeException e) {
            System.out.printf("  the round could not run: %s; see %s%n", e, roundDirectory);
            e.printStackTrace(System.out);
            return false;
        }
        results.add(result);
        tell(result);
        boolean well = result.violations().isEmpty();
        if (well && !keep) {
            delete(roundDirectory);
        } else if (well) {
            System.out.printf("  logs and data: %s%n", roundDirectory);
        } else {
            Path all = roundDirectory.resolve("violations");
            Files.write(
                    all, result.violations().stream().map(Violation::toString).toList());
            System.out.printf("  %s; all are in %s; the first are%n", result.kinds(), all);
            result.violations().stream().limit(MOST_TOLD).forEach(violation -> System.out.println("  " + violation));
            System.out.printf("  logs and data: %s; to repeat: --seed %d --rounds 1%n", roundDirectory, roundSeed);
        }
        return well;
    }

    private static void tell(RoundResult result) {
        System.out.printf(
                "  %d faults: %s%s%n  %d records, %d edits of the vocabulary, %d lost, %d duplicated, %d out of order, %d untrue health, %d violations, %d s%n  silence: %s%n  health named: %s%n",
                result.injected(),
                result.faults(),
                result.missed().isEmpty() ? "" : "; did not happen: " + result.missed(),
                result.submissions(),
                result.edits(),
                result.count(Violation.Kind.LOST),
                result.count(Violation.Kind.DUPLICATED),
                result.count(Violation.Kind.OUT_OF_ORDER),
                result.count(Violation.Kind.UNTRUE_HEALTH),
                result.violations().size(),
                result.took().toSeconds(),
                result.silences(),
                result.healthNamed());
        result.surrenders().forEach(surrender -> System.out.println("  " + surrender));
    }

    private void summarize() {
        Map<String, Integer> byKind = new TreeMap<>();
        results.forEach(result -> result.faults().forEach((fault, times) -> byKind.merge(fault, times, Integer::sum)));
        System.out.printf(
                "%d rounds, %d faults: %s%n%d records, %d lost, %d duplicated, %d out of order, %d untrue health, %d violations%nlongest silence: %s%n",
                results.size(),
                results.stream().mapToInt(RoundResult::injected).sum(),
                byKind.entrySet().stream()
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .collect(Collectors.joining(", ")),
                results.stream().mapToLong(RoundResult::submissions).sum(),
                total(Violation.Kind.LOST),
                total(Violation.Kind.DUPLICATED),
                total(Violation.Kind.OUT_OF_ORDER),
                total(Violation.Kind.UNTRUE_HEALTH),
                results.stream().mapToInt(result -> result.violations().size()).sum(),
                Silences.longest(results.stream().map(RoundResult::silences).toList()));
    }

    private long total(Violation.Kind kind) {
        return results.stream().mapToLong(result -> result.count(kind)).sum();
    }

    private static void delete(Path directory) throws IOException {
        List<Path> innermostFirst;
        try (Stream<Path> files = Files.walk(directory)) {
            innermostFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : innermostFirst) {
            Files.delete(file);
        }
    }
}
