/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.lab.Violation.Kind;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The errors that Tagstream may log: those that the operations page lists, with what they mean. In the page,
 * {@code …} stands for any text.
 */
final class LoggedErrors {
    static final Path PAGE = Path.of("deploy", "docs", "operations.md");

    private static final String HEADING = "## Errors in the log";
    private static final Pattern MESSAGES = Pattern.compile("`([^`]+)`");

    /** As in laboratory-logback.xml. */
    private static final Pattern ERROR = Pattern.compile("[0-9:.]+ ERROR \\[.*?] ([A-Za-z]\\w*) - (.*)");

    private final List<Pattern> known;

    private LoggedErrors(List<Pattern> known) {
        this.known = known;
    }

    /** The errors that a page lists: each first cell of the table below its heading has one or more. */
    static LoggedErrors listed(String page) {
        List<Pattern> known = page.substring(page.indexOf(HEADING) + HEADING.length())
                .lines()
                .takeWhile(line -> !line.startsWith("## "))
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.substring(0, line.indexOf('|', 1)))
                .flatMap(cell -> MESSAGES.matcher(cell).results())
                .map(message -> pattern(message.group(1)))
                .toList();
        if (known.isEmpty()) {
            throw new IllegalArgumentException("The page has no table below \"" + HEADING + "\"");
        }
        return new LoggedErrors(known);
    }

    private static Pattern pattern(String message) {
        return Pattern.compile(
                Arrays.stream(message.split("…", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }

    /** The listed errors that none of these messages is; without those of Kafka, which begin with its parts' names. */
    List<String> neverLogged(Collection<String> messages) {
        return known.stream()
                .filter(each -> messages.stream().noneMatch(each.asMatchPredicate()))
                .map(Pattern::pattern)
                .filter(each -> !each.matches("\\\\Q((global-)?stream-|\\[Consumer ).*"))
                .toList();
    }

    /** The errors that the operations page lists. */
    static LoggedErrors documented() throws IOException {
        Path page = Stream.of(classes(), Path.of("").toAbsolutePath())
                .flatMap(place -> Stream.iterate(place, Objects::nonNull, Path::getParent))
                .map(place -> place.resolve(PAGE))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new IOException("There is no " + PAGE + " above " + classes()));
        return listed(Files.readString(page, StandardCharsets.UTF_8));
    }

    private static Path classes() {
        try {
            return Path.of(LoggedErrors.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("The laboratory's classes are in no directory", e);
        }
    }

    /** The errors in the instances' logs that are not listed, one violation for each message. */
    List<Violation> check(Path directory) throws IOException {
        List<Path> logs;
        try (Stream<Path> files = Files.list(directory)) {
            logs = files.filter(file -> file.getFileName().toString().matches("instance-[0-9]+[.]log"))
                    .sorted()
                    .toList();
        }
        Map<String, Violation> found = new LinkedHashMap<>();
        for (Path log : logs) {
            try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
                lines.forEach(line -> unknown(line)
                        .forEach(message -> found.putIfAbsent(
                                message.replaceAll("[0-9a-f-]{2,}|[0-9]", "#"),
                                new Violation(Kind.UNKNOWN_ERROR, log.getFileName() + " has " + message))));
            }
        }
        return new ArrayList<>(found.values());
    }

    private Stream<String> unknown(String line) {
        Matcher error = ERROR.matcher(line);
        return error.matches()
                        && known.stream()
                                .noneMatch(each -> each.matcher(error.group(2)).matches())
                ? Stream.of(error.group(1) + ": " + error.group(2))
                : Stream.empty();
    }
}
