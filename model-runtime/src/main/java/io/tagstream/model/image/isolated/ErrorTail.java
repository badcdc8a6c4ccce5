/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.Excerpt;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a process wrote to standard error: what matters of Java's report if it crashed, otherwise its last lines. A
 * thread keeps reading, or the process would block. The rest is dropped: what libraries say about bad images is not
 * worth keeping.
 *
 * <p><i>Threading notes.</i> A thread of its own reads; any thread may ask.
 */
final class ErrorTail {
    private static final int LONGEST_LINE = 500;
    private static final int MOST_LINES = 20;
    private static final int LONGEST = 2048;
    private static final int BUFFER = 8192;
    /** The lines that name the signal, and a frame of a library, of Java code or of the virtual machine. */
    private static final Pattern CRASH_REPORT_LINE = Pattern.compile("^# (  ?SIG|  ?Internal Error|[CVJj] )");

    private final Thread reader;
    private final Deque<String> last = new ArrayDeque<>();
    private final List<String> crash = new ArrayList<>();

    ErrorTail(InputStream stream, String name) {
        this.reader = new Thread(() -> read(stream), name);
        reader.setDaemon(true);
        reader.start();
    }

    private void read(InputStream stream) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try (InputStream in = new BufferedInputStream(stream, BUFFER)) {
            int read = in.read();
            while (read >= 0) {
                if (read == '\n') {
                    add(line.toString(StandardCharsets.UTF_8));
                    line.reset();
                } else if (line.size() < LONGEST_LINE) {
                    line.write(read);
                }
                read = in.read();
            }
            add(line.toString(StandardCharsets.UTF_8));
        } catch (IOException e) {
            add("(standard error cannot be read)");
        }
    }

    private synchronized void add(String line) {
        if (CRASH_REPORT_LINE.matcher(line).find()) {
            if (crash.size() < MOST_LINES) {
                crash.add(line.substring(1).strip());
            }
        } else if (!line.isBlank()) {
            last.add(line.strip());
            if (last.size() > MOST_LINES) {
                last.remove();
            }
        }
    }

    /** How to go on after how a process ended; empty if it said nothing. Waits a moment for the last of it. */
    String ofEnded() throws InterruptedException {
        reader.join(1000);
        synchronized (this) {
            if (!crash.isEmpty()) {
                return ": " + Excerpt.of(String.join(" in ", crash), LONGEST);
            }
            return last.isEmpty() ? "" : "; its last output: " + Excerpt.of(String.join(" ", last), LONGEST);
        }
    }
}
