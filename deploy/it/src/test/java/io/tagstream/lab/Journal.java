/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/** A file that records what was done to a round, and when. Thread-safe. */
final class Journal {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

    private final Path file;

    Journal(Path file) throws IOException {
        this.file = Files.createFile(file);
    }

    synchronized void note(String what) throws IOException {
        Files.writeString(
                file,
                TIME.format(LocalTime.now(ZoneId.systemDefault())) + " " + what + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.APPEND);
    }
}
