/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.time.Duration;
import java.util.List;

/**
 * Writes documents in bulk requests and reports the outcome of each document.
 *
 * <p>A document is written under its image's id, with its record's offset as its version. If a version is not newer
 * than the server's own, the server must refuse it as {@link Refusal.Kind#STALE}.
 *
 * <p><i>Threading notes.</i> One thread calls all methods.
 */
public interface DocumentWriter extends AutoCloseable {
    /**
     * The outcome of a write.
     *
     * @param refusal null if the server accepted the document
     */
    record Outcome(Write write, Refusal refusal) {}

    /** Whether {@link #add} would return immediately. */
    boolean hasRoom();

    /** Adds a write to the next request. */
    void add(Write write);

    /** Sends the writes added so far, if a request can be made now. */
    void flush();

    /** The outcomes since the last call. */
    List<Outcome> outcomes();

    /** Waits at most {@code patience} until there may be outcomes. */
    void awaitOutcomes(Duration patience) throws InterruptedException;

    /** Sends the remaining writes and waits until every request has ended. */
    @Override
    void close();
}
