/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.CommandException;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.failures.Selection;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Which failures a command means. */
final class FailureOptions {
    private static final Pattern AGO = Pattern.compile("(\\d{1,9})([smhd])");

    @Option(
            names = "--reason",
            paramLabel = "REASON",
            split = ",",
            description = "Only failures with this reason: ${COMPLETION-CANDIDATES}. Can be given more than once.")
    private List<ImageFailureReason> reasons = List.of();

    @Option(
            names = "--id",
            paramLabel = "ID",
            description = "Only this image id. Of dead letters: this key, or this origin as TOPIC-PARTITION@OFFSET. Can"
                    + " be given more than once.")
    private List<String> ids = List.of();

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only what failed since then: 90s, 30m, 12h or 7d ago, a day such as 2026-11-24 (here), or an"
                    + " instant such as 2026-11-24T08:00:00Z.")
    private String since;

    @Option(
            names = "--dead-letters",
            description = "Records that could not be read at all instead of images that could not be tagged.")
    private boolean deadLetters;

    boolean deadLetters() {
        return deadLetters;
    }

    Selection selection(Instant now) {
        if (deadLetters && !reasons.isEmpty()) {
            throw CommandException.usage(
                    "--reason %s: dead letters have no such reasons; choose them with --id or --since"
                            .formatted(reasons.get(0)));
        }
        return new Selection(
                Set.copyOf(reasons), Set.copyOf(ids), Optional.ofNullable(since).map(text -> instant(text, now)));
    }

    private static Instant instant(String text, Instant now) {
        Matcher ago = AGO.matcher(text);
        if (ago.matches()) {
            long number = Long.parseLong(ago.group(1));
            return now.minus(
                    switch (ago.group(2)) {
                        case "s" -> Duration.ofSeconds(number);
                        case "m" -> Duration.ofMinutes(number);
                        case "h" -> Duration.ofHours(number);
                        default -> Duration.ofDays(number);
                    });
        }
        try {
            return text.length() == "2026-11-24".length()
                    ? LocalDate.parse(text).atStartOfDay(ZoneId.systemDefault()).toInstant()
                    : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw CommandException.usage(
                    "--since %s: 90s, 30m, 12h, 7d, 2026-11-24 or 2026-11-24T08:00:00Z are possible".formatted(text),
                    e);
        }
    }
}
