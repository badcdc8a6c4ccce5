/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream;

/** Ends a command with a message for the person who gave it: what failed, with which value, what to change. */
public final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final boolean unavailable;

    private CommandException(int exitCode, boolean unavailable, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
        this.unavailable = unavailable;
    }

    /** The command was given wrongly. */
    public static CommandException usage(String message) {
        return new CommandException(ExitCode.USAGE, false, message, null);
    }

    /** The command was given wrongly. */
    public static CommandException usage(String message, Throwable cause) {
        return new CommandException(ExitCode.USAGE, false, message, cause);
    }

    /** The command could not do its work. */
    public static CommandException failed(String message) {
        return new CommandException(ExitCode.FAILED, false, message, null);
    }

    /** The command could not do its work. */
    public static CommandException failed(String message, Throwable cause) {
        return new CommandException(ExitCode.FAILED, false, message, cause);
    }

    /** The command could not do its work, because something did not answer that may answer later. */
    public static CommandException unavailable(String message, Throwable cause) {
        return new CommandException(ExitCode.FAILED, true, message, cause);
    }

    /** Whether the same command may succeed later without anyone changing it. */
    public boolean isUnavailable() {
        return unavailable;
    }

    public int exitCode() {
        return exitCode;
    }
}
