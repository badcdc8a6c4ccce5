/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContainedTextTest {
    private static final String FORGED = "12:00:00.000 ERROR [main] Tagstream: all is lost";

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029", "\u000b", "\f"})
    void shouldNotLetAMessageOrAnExceptionForgeALine(String lineEnd) throws Exception {
        List<String> lines = logged("image cat" + lineEnd + FORGED, new IllegalStateException("no" + lineEnd + FORGED));
        assertThat(lines.get(0)).endsWith("image cat");
        assertThat(lines.stream().skip(1)).isNotEmpty().allMatch(line -> line.startsWith("    "));
        assertThat(String.join("\n", lines))
                .contains("    " + FORGED)
                .contains("at " + getClass().getName());
    }

    @Test
    void shouldNotControlATerminal() throws Exception {
        assertThat(logged("cat\u001b[2J\u0007\u202egpj.tac\t\u0000", null))
                .singleElement()
                .asString()
                .endsWith(": cat?[2J??gpj.tac\t?");
    }

    /** Returns what the shipped configuration writes. */
    private static List<String> logged(String message, Throwable thrown) throws Exception {
        LoggerContext context = new LoggerContext();
        try {
            JoranConfigurator configurator = new JoranConfigurator();
            configurator.setContext(context);
            configurator.doConfigure(ContainedTextTest.class.getResource("/logback.xml"));
            Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
            ConsoleAppender<ILoggingEvent> appender = (ConsoleAppender<ILoggingEvent>) root.getAppender("STDERR");
            LoggingEvent event = new LoggingEvent(Logger.class.getName(), root, Level.ERROR, message, thrown, null);
            String text = new String(appender.getEncoder().encode(event), StandardCharsets.UTF_8);
            return text.lines().toList();
        } finally {
            context.stop();
        }
    }
}
