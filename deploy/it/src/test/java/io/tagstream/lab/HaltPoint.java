/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

/** Moments in an instance's life at which it can be halted as if by {@code kill -9}. */
enum HaltPoint {
    /** An outcome is about to be handed to the producer. */
    BEFORE_FORWARD,
    /** An outcome has been handed to the producer; its pending entry is about to be deleted. */
    AFTER_FORWARD,
    /** A transaction's outcomes are written, but its input offsets are not. */
    BEFORE_OFFSETS,
    /** A transaction holds everything and is about to be committed. */
    BEFORE_COMMIT,
    /** The commit is in progress. */
    DURING_COMMIT,
    /** The commit has been confirmed. */
    AFTER_COMMIT,
    /** State is being restored from its changelogs. */
    IN_RESTORE,
    /** Partitions have been assigned, and their tasks are about to be created. */
    IN_ASSIGNMENT,
    /** Partitions are about to be given up. */
    IN_REVOCATION;

    /** The exit code of a process halted at one of these points. */
    static final int EXIT_CODE = 86;
}
