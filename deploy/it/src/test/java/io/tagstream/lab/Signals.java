/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;

/** Things that Java itself cannot do to another process. */
final class Signals {
    private Signals() {}

    static void send(String signal, long processId) throws IOException, InterruptedException {
        run(processId, "kill", "-" + signal, Long.toString(processId));
    }

    /**
     * Keeps a process from writing any file beyond {@code bytes}: its writes fail as they do on a full disk, but with
     * EFBIG instead of ENOSPC. This needs neither privileges nor a separate file system.
     *
     * @param bytes a size, or {@code unlimited}
     */
    static void limitFileSize(long processId, String bytes) throws IOException, InterruptedException {
        run(processId, "prlimit", "--pid", Long.toString(processId), "--fsize=" + bytes + ":unlimited");
    }

    private static void run(long processId, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        if (process.waitFor() != 0
                && ProcessHandle.of(processId).map(ProcessHandle::isAlive).orElse(false)) {
            throw new IOException(String.join(" ", command) + " failed with exit code " + process.exitValue());
        }
    }
}
