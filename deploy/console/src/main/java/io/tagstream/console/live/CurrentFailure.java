/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import io.tagstream.avro.ImageFailure;
import java.time.Instant;

/**
 * An image that could not be tagged, and has been neither tagged nor deleted since.
 *
 * @param message what failed and what to change, for people
 * @param attempts how many attempts were made
 * @param origin the position of its record in the images topic: {@code topic-partition@offset}
 */
public record CurrentFailure(
        String imageId, String uri, String reason, String message, int attempts, Instant failedAt, String origin) {
    private static final int LONGEST_URI = 2_000;

    /** The failure that an event reports. */
    public static CurrentFailure of(String imageId, ImageFailure failure) {
        String uri = failure.getReference().getUri();
        return new CurrentFailure(
                imageId,
                uri.length() > LONGEST_URI ? uri.substring(0, LONGEST_URI) + "…" : uri,
                failure.getReason().name(),
                failure.getMessage(),
                failure.getAttempts(),
                failure.getFailedAt(),
                "%s-%d@%d"
                        .formatted(
                                failure.getOrigin().getTopic(),
                                failure.getOrigin().getPartition(),
                                failure.getOrigin().getOffset()));
    }
}
