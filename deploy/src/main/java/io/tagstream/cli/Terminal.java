/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What the launcher knows of the terminal. */
final class Terminal {
    /** Set by the launcher: Java itself cannot tell standard error's terminal from standard output's. */
    private static final String PROPERTY = "tagstream.terminal";

    private Terminal() {}

    /** Whether a person watches standard error. */
    static boolean isWatched() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Standard output for a program's eyes: UTF-8 whatever the locale. */
    static PrintStream utf8Output() {
        return new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    }
}
