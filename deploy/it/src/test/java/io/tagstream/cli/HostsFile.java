/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The system's hosts file with additional entries, for one command only: Linux mounts it over the system's file in the
 * command's own mount namespace. Java's property {@code jdk.net.hosts.file} would not do, because Java derives other
 * addresses from such entries than the system's resolver does.
 */
final class HostsFile {
    private static final Path SYSTEM = Path.of("/etc/hosts");

    /** As root, and as an ordinary user if the system lets users create namespaces. */
    private static final List<List<String>> WAYS =
            List.of(List.of("unshare", "--mount"), List.of("unshare", "--user", "--map-root-user", "--mount"));

    private HostsFile() {}

    /**
     * Returns the program under which a command sees the entries; skips the test if the system allows neither way.
     *
     * @param folder folder for the file
     */
    static List<String> with(Path folder, String... entries) throws IOException, InterruptedException {
        Path file = Files.copy(SYSTEM, folder.resolve("hosts"));
        Files.writeString(file, Files.readString(file) + "\n" + String.join("\n", entries) + "\n");
        for (List<String> way : WAYS) {
            List<String> program = new ArrayList<>(way);
            program.addAll(List.of("sh", "-c", "mount --bind \"$0\" " + SYSTEM + " && exec \"$@\"", file.toString()));
            if (works(program)) {
                return program;
            }
        }
        return abort(
                "a command cannot have its own hosts file here: unshare and mount need Linux and permission for namespaces");
    }

    private static boolean works(List<String> program) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(program);
        command.add("true");
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return abort("a command cannot have its own hosts file here: " + e.getMessage());
        }
    }
}
