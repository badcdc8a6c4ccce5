/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs in a child process: follows and answers each command on standard input, {@code NUMBER COMMAND}. */
final class Commands {
    private static final Logger log = LoggerFactory.getLogger(Commands.class);

    private Commands() {}

    /** Follows a command. */
    interface Follower {
        void follow(String command) throws Exception;
    }

    /** The announcement that answers a command. */
    static String followed(int number) {
        return "followed " + number;
    }

    /** Follows commands until the parent ends; then ends this process too, at once. */
    static void read(Follower follower) {
        try {
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                int space = line.indexOf(' ');
                follower.follow(line.substring(space + 1));
                ChildProcess.announce(followed(Integer.parseInt(line.substring(0, space))));
            }
        } catch (Exception e) {
            log.error("Cannot carry out a command", e);
            Runtime.getRuntime().halt(2);
        }
        Runtime.getRuntime().halt(0);
    }
}
