/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

/**
 * What to do about a document, or a bulk request, that the server has not accepted.
 *
 * @param what the kind
 * @param reason the server's reason, for people
 */
public record Refusal(Kind what, String reason) {
    public enum Kind {
        /** The index has this version of the document, or a later one. */
        STALE,
        /** The server may accept the same document later. */
        MAY_PASS,
        /** The server will never accept the document. */
        REJECTED,
        /** The server did not accept a request of several documents, and one of them may be the cause. */
        SUSPECT,
        /** The server accepts nothing: the index is gone, or this user may not write. */
        FATAL
    }
}
