/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

/**
 * What is to be done about a document, or a request of many, that the server has not taken.
 *
 * @param what the kind
 * @param reason the server's, for people
 */
public record Refusal(Kind what, String reason) {
    public enum Kind {
        /** The index has this version of the document, or a later one. */
        STALE,
        /** The same may be taken later. */
        MAY_PASS,
        /** The document will not be taken. */
        REJECTED,
        /** A request of several documents was not taken, and one of them may be the cause. */
        SUSPECT,
        /** Nothing will be taken: the index is gone, or this user may not write. */
        FATAL
    }
}
