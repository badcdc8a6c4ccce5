/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

/**
 * Something that happened.
 *
 * @param number ascending within a process
 * @param json what happened, as JSON on one line
 */
public record LiveEvent(long number, Kind kind, String json) {
    /** The kind of event; in lower case, the name of the server-sent event. */
    public enum Kind {
        /** An image has new or changed tags. */
        TAGGED,
        /** An image could not be tagged. */
        FAILED,
        /** An image was deleted. */
        DELETED,
        /** Another vocabulary is in force, or a label was refused. */
        VOCABULARY,
        /** Known images are being brought up to date with the vocabulary. */
        PROGRESS
    }
}
