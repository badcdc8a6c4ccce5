/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
    /** Of ASCII and of C1, direction, separators, invisible tags, and half a character. */
    @ParameterizedTest
    @ValueSource(
            ints = {0, '\n', 0x1B, 0x7F, 0x85, 0x9B, 0x61C, 0x200E, 0x202E, 0x2028, 0x2029, 0x2066, 0xE0041, 0xD83D})
    void shouldPrintNoCharacterThatDisturbs(int character) {
        assertThat(Printable.of("a" + Character.toString(character) + "b")).isEqualTo("a?b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Katze, s\u00FC\u00DF",
                "\u6771\u4EAC",
                "\uD83D\uDC69\u200D\uD83D\uDE80",
                "\u0645\u06CC\u200C\u062E"
            })
    void shouldPrintTextAsItIs(String text) {
        assertThat(Printable.of(text)).isEqualTo(text);
    }

    @Test
    void shouldKeepLinesWhereATextHasSeveral() {
        assertThat(Printable.lines("id,name\r\ncat,\u009B2J\n")).isEqualTo("id,name\ncat,?2J\n");
    }

    @Test
    void shouldWriteJsonThatMeansTheSameAndDisturbsNoTerminal() throws Exception {
        Map<String, String> value = Map.of("name", "\u009B2J\u202Egpj\u2028\u007F\uDB40\uDC41 s\u00FC\u00DF");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (PrintStream printed = Terminal.escaping(out)) {
            printed.println(new ObjectMapper().writeValueAsString(value));
        }
        String line = out.toString(StandardCharsets.UTF_8).stripTrailing();
        assertThat(Printable.of(line)).isEqualTo(line).contains("\\u009b2J", "s\u00FC\u00DF");
        assertThat(new ObjectMapper().readTree(line).path("name").asText()).isEqualTo(value.get("name"));
    }
}
