/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.pattern.CompositeConverter;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Keeps a logged text inside its event: messages and exceptions quote text from strangers, which must neither look like
 * one of our lines nor control the terminal. Lines after the first are indented, and other control characters become
 * question marks.
 */
public final class ContainedText extends CompositeConverter<ILoggingEvent> {
    private static final Pattern LINE_END = Pattern.compile("\\R");
    private static final String INDENTATION = System.lineSeparator() + "    ";

    @Override
    protected String transform(ILoggingEvent event, String text) {
        return of(text);
    }

    static String of(String text) {
        String[] lines = LINE_END.split(text.stripTrailing());
        for (int i = 0; i < lines.length; i++) {
            lines[i] =
                    Arrays.stream(lines[i].split("\t", -1)).map(Printable::of).collect(Collectors.joining("\t"));
        }
        return String.join(INDENTATION, lines) + System.lineSeparator();
    }
}
