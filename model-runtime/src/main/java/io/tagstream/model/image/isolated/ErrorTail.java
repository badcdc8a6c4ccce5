/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.Excerpt;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The last text that a process wrote to standard error. A thread keeps reading, or the process would block. The rest is
 * dropped: what libraries say about bad images is not worth keeping.
 *
 * <p><i>Threading notes.</i> A thread of its own reads; any thread may ask.
 */
final class ErrorTail {
    private static final int BYTES = 2048;

    private final Thread reader;
    private byte[] tail = new byte[0];

    ErrorTail(InputStream stream, String name) {
        this.reader = new Thread(() -> read(stream), name);
        reader.setDaemon(true);
        reader.start();
    }

    private void read(InputStream stream) {
        byte[] buffer = new byte[BYTES];
        try (stream) {
            int read = stream.read(buffer);
            while (read >= 0) {
                add(buffer, read);
                read = stream.read(buffer);
            }
        } catch (IOException e) {
            add("(standard error cannot be read)".getBytes(StandardCharsets.US_ASCII), 0);
        }
    }

    private synchronized void add(byte[] buffer, int length) {
        byte[] all = Arrays.copyOf(tail, tail.length + length);
        System.arraycopy(buffer, 0, all, tail.length, length);
        tail = Arrays.copyOfRange(all, Math.max(0, all.length - BYTES), all.length);
    }

    /** The text of a process that has ended. Waits a moment for the last of it. */
    String ofEnded() throws InterruptedException {
        reader.join(1000);
        synchronized (this) {
            return Excerpt.of(new String(tail, StandardCharsets.UTF_8).strip().replaceAll("\\s+", " "), BYTES);
        }
    }
}
