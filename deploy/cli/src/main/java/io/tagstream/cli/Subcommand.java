/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

/**
 * A command of {@code tagstream}. A room adds its commands by naming their classes in
 * {@code META-INF/services/io.tagstream.cli.Subcommand}, so the command line has the commands of the rooms on the class
 * path, and no room needs to know the others.
 */
public interface Subcommand {
    /** The command that this one belongs to, such as {@code labels}; empty for one directly under {@code tagstream}. */
    default String group() {
        return "";
    }
}
