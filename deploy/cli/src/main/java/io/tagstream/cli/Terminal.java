/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;

/** What the launcher knows about the terminal. */
public final class Terminal {
    /** Set by the launcher if standard error is a terminal: Java itself cannot tell this from standard output's. */
    private static final String PROPERTY = "tagstream.terminal";
    /** Set by the launcher if standard input is a terminal, too. */
    private static final String INTERACTIVE_PROPERTY = "tagstream.interactive";

    /** Set by the launcher if standard output is a terminal and the user has not asked for plain text. */
    private static final String COLOURS_PROPERTY = "tagstream.colours";

    /** Set by the launcher if standard output is a terminal. */
    private static final String SHOWN_PROPERTY = "tagstream.shown";

    /** What the colour of a part of a line means. */
    enum Colour {
        GOOD("32"),
        BAD("31"),
        QUIET("2");

        private final String code;

        Colour(String code) {
            this.code = code;
        }

        /** Returns the text in this colour on a terminal, and unchanged elsewhere. */
        String of(String text) {
            return Boolean.getBoolean(COLOURS_PROPERTY) ? "\u001b[%sm%s\u001b[0m".formatted(code, text) : text;
        }
    }

    private Terminal() {}

    /** Whether standard error is a terminal. */
    public static boolean isWatched() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Whether standard output is a terminal. */
    static boolean isShown() {
        return Boolean.getBoolean(SHOWN_PROPERTY);
    }

    /** Prints a sentence for the user on standard error. */
    static void note(String sentence) {
        System.err.println("tagstream: " + Printable.of(sentence));
    }

    /**
     * Asks a question and waits for the answer, if there is somebody to ask.
     *
     * @return whether the answer is yes; true without a question if there is nobody to ask
     */
    static boolean ask(String question) {
        if (!Boolean.getBoolean(INTERACTIVE_PROPERTY)) {
            return true;
        }
        System.err.print("tagstream: " + question + " [y/N] ");
        System.err.flush();
        Scanner answers = new Scanner(System.in, Charset.defaultCharset());
        return answers.hasNextLine() && answers.nextLine().strip().matches("(?i)y|yes");
    }

    /**
     * Returns standard output for lines and JSON: UTF-8, whatever the locale. Characters above ASCII that disturb a
     * terminal are escaped.
     */
    public static PrintStream utf8Output() {
        return escaping(new FileOutputStream(FileDescriptor.out));
    }

    /** Returns standard output for text that must stay as it is: UTF-8, whatever the locale. */
    static PrintStream exactOutput() {
        return new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    }

    static PrintStream escaping(OutputStream out) {
        return new PrintStream(out, false, StandardCharsets.UTF_8) {
            @Override
            public void print(String text) {
                super.print(text == null ? null : Printable.escaped(text));
            }
        };
    }
}
