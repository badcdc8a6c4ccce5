/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ImageFailureReason;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.PointInTime;
import io.tagstream.cluster.failures.Selection;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options that select failures. */
final class FailureOptions {
    @Option(
            names = "--reason",
            paramLabel = "REASON",
            split = ",",
            description = "Only failures with this reason: ${COMPLETION-CANDIDATES}. Can be given more than once.")
    private List<ImageFailureReason> reasons = List.of();

    @Option(
            names = "--id",
            paramLabel = "ID",
            description = "Only this image id; for dead letters, only this key, or this origin as"
                    + " TOPIC-PARTITION@OFFSET. Can be given more than once.")
    private List<String> ids = List.of();

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only failures since this time: 90s, 30m, 12h or 7d ago, a day in the local time zone such as"
                    + " 2026-11-24, or an instant such as 2026-11-24T08:00:00Z.")
    private String since;

    @Option(
            names = "--dead-letters",
            description = "Select records that could not be read at all, instead of images that could not be tagged.")
    private boolean deadLetters;

    boolean deadLetters() {
        return deadLetters;
    }

    Selection selection(Instant now) {
        if (deadLetters && !reasons.isEmpty()) {
            throw OperatorException.invalid(
                    "--reason %s: dead letters do not have these reasons; select them with --id or --since"
                            .formatted(reasons.get(0)));
        }
        return new Selection(
                Set.copyOf(reasons), Set.copyOf(ids), Optional.ofNullable(since).map(text -> instant(text, now)));
    }

    private static Instant instant(String text, Instant now) {
        try {
            return PointInTime.parse(text, now);
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid("--since " + e.getMessage(), e);
        }
    }
}
