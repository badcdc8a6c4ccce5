/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs under which a command sees mounts that nobody else sees. */
final class OwnMounts {
    /** As root, and as an ordinary user if the system lets users create namespaces. */
    private static final List<List<String>> WAYS =
            List.of(List.of("unshare", "--mount"), List.of("unshare", "--user", "--map-root-user", "--mount"));

    private OwnMounts() {}

    /**
     * Returns a program that runs a shell script, which mounts something and runs the command that follows; skips the
     * test if the system does not allow that.
     *
     * @param script finds {@code path} in {@code $0}, and the command in {@code $@}
     */
    static List<String> program(String script, Path path) throws IOException, InterruptedException {
        for (List<String> way : WAYS) {
            List<String> program = new ArrayList<>(way);
            program.addAll(List.of("sh", "-c", script, path.toString()));
            if (works(program)) {
                return program;
            }
        }
        return abort("a command cannot have its own mounts here: unshare and mount need Linux and permission for"
                + " namespaces");
    }

    private static boolean works(List<String> program) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(program);
        command.add("true");
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return abort("a command cannot have its own mounts here: " + e.getMessage());
        }
    }
}
