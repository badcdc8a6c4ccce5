/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.time.Duration;
import java.util.List;

/**
 * Writes documents in requests of many, and reports the outcome of each.
 *
 * <p>A document is written under its image's id, with its record's offset as its version: the server must refuse a version
 * that is not newer than its own as {@link Refusal.Kind#STALE}.
 *
 * <p><i>Threading notes.</i> One thread calls all methods.
 */
public interface DocumentWriter extends AutoCloseable {
    /**
     * The outcome of a write.
     *
     * @param refusal null if the document was taken
     */
    record Outcome(Write write, Refusal refusal) {}

    /** Whether {@link #add} would return at once. */
    boolean hasRoom();

    /** Adds a write to the next request. */
    void add(Write write);

    /** Sends what was added so far, if a request can be made now. */
    void flush();

    /** The outcomes since the last call. */
    List<Outcome> outcomes();

    /** Waits until there may be outcomes, at most for {@code patience}. */
    void awaitOutcomes(Duration patience) throws InterruptedException;

    /** Sends what was added, and waits until every request has ended. */
    @Override
    void close();
}
