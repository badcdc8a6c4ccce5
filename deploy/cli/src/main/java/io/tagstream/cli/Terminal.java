/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;

/** What the launcher knows of the terminal. */
public final class Terminal {
    /** Set by the launcher: Java itself cannot tell standard error's terminal from standard output's. */
    private static final String PROPERTY = "tagstream.terminal";
    /** Set by the launcher where a person sits at standard input, too. */
    private static final String INTERACTIVE_PROPERTY = "tagstream.interactive";

    /** Set by the launcher where a person watches standard output and has not asked for plain text. */
    private static final String COLOURS_PROPERTY = "tagstream.colours";

    /** What a part of a line is, where colours say so. */
    enum Colour {
        GOOD("32"),
        BAD("31"),
        QUIET("2");

        private final String code;

        Colour(String code) {
            this.code = code;
        }

        /** The text in this colour on a terminal, and as it is elsewhere. */
        String of(String text) {
            return Boolean.getBoolean(COLOURS_PROPERTY) ? "\u001b[%sm%s\u001b[0m".formatted(code, text) : text;
        }
    }

    private Terminal() {}

    /** Whether a person watches standard error. */
    public static boolean isWatched() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** A sentence for the person who gave the command, on standard error. */
    static void note(String sentence) {
        System.err.println("tagstream: " + Printable.of(sentence));
    }

    /**
     * Asks a question and waits for the answer, where there is a person to ask.
     *
     * @return whether the answer is yes; true without asking where nobody can be asked
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

    /** Standard output for a program's eyes: UTF-8 whatever the locale. */
    public static PrintStream utf8Output() {
        return new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    }
}
