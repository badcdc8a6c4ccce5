/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses times as people write them. */
public final class PointInTime {
    private static final Pattern AGO = Pattern.compile("(\\d{1,9})([smhd])");

    private PointInTime() {}

    /**
     * Returns the time that a text means: 90s, 30m, 12h or 7d ago, a day (in the local time zone), or an instant.
     *
     * @throws IllegalArgumentException if the text is not a time; the message begins with the text and lists the
     *     possible forms
     */
    public static Instant parse(String text, Instant now) {
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
            throw new IllegalArgumentException(
                    "%s: give a time such as 90s, 30m, 12h, 7d, 2026-11-24 or 2026-11-24T08:00:00Z".formatted(text), e);
        }
    }
}
