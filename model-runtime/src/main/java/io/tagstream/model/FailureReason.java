/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

/** Why an image could not be scored. */
public enum FailureReason {
    /**
     * The URI is malformed, has an unknown scheme, or is refused with HTTP 4xx; or the expected checksum is malformed.
     */
    BAD_REFERENCE(false),
    /** There is nothing at the URI: no such file, HTTP 404 or 410. */
    FETCH_NOT_FOUND(false),
    /** The source refuses: file permissions, HTTP 401, 403 or 451. */
    FETCH_FORBIDDEN(false),
    /** The configuration forbids the address: a path outside the roots, a private network, too many redirects. */
    FETCH_BLOCKED(false),
    /** The source did not deliver in time. */
    FETCH_TIMEOUT(true),
    /** The source failed: connection errors, HTTP 5xx and 429. */
    FETCH_FAILED(true),
    /** More bytes than allowed. */
    TOO_LARGE(false),
    /** The bytes do not have the expected checksum. */
    CHECKSUM_MISMATCH(false),
    /** The bytes are not an image of a known format. */
    UNSUPPORTED_FORMAT(false),
    /** The image is truncated or does not decode. */
    CORRUPT_IMAGE(false),
    /** More pixels than allowed, by the image's header. */
    TOO_MANY_PIXELS(false),
    /** The model failed on the image. */
    MODEL_ERROR(true);

    private final boolean retryable;

    FailureReason(boolean retryable) {
        this.retryable = retryable;
    }

    /** Whether the same reference may succeed later without a change. If so, the runtime tries it again. */
    public boolean retryable() {
        return retryable;
    }
}
