/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The system's hosts file with additional entries, for one command only: Linux mounts it over the system's file in the
 * command's own mount namespace. Java's property {@code jdk.net.hosts.file} would not do, because Java derives other
 * addresses from such entries than the system's resolver does.
 */
final class HostsFile {
    private static final Path SYSTEM = Path.of("/etc/hosts");

    private HostsFile() {}

    /**
     * Returns the program under which a command sees the entries; skips the test if the system allows neither way.
     *
     * @param folder folder for the file
     */
    static List<String> with(Path folder, String... entries) throws IOException, InterruptedException {
        Path file = Files.copy(SYSTEM, folder.resolve("hosts"));
        Files.writeString(file, Files.readString(file) + "\n" + String.join("\n", entries) + "\n");
        return OwnMounts.program("mount --bind \"$0\" " + SYSTEM + " && exec \"$@\"", file);
    }
}
