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
 * @param json what happened, one line
 */
public record LiveEvent(long number, Kind kind, String json) {
    /** What kind of thing happened; the name of the server-sent event in lower case. */
    public enum Kind {
        /** An image has its tags, new or changed. */
        TAGGED,
        /** An image could not be tagged. */
        FAILED,
        /** An image is no longer there. */
        DELETED,
        /** Another vocabulary is in force, or a label was refused. */
        VOCABULARY,
        /** Known images follow the vocabulary. */
        PROGRESS
    }
}
