/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

/** The exit codes of every command. */
public final class ExitCode {
    /** The command did all its work. */
    public static final int DONE = 0;
    /** Something kept the command from doing its work. */
    public static final int FAILED = 1;
    /** The command was used wrongly; nothing was done. */
    public static final int USAGE = 2;
    /** A signal ended the command in an orderly way; the signal's number is added. */
    public static final int SIGNAL = 128;

    private ExitCode() {}
}
