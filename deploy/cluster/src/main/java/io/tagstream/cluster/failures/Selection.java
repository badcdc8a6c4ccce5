/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.avro.ImageFailureReason;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * Selects failures. An empty set selects all of them.
 *
 * @param ids for image failures, image ids; for dead letters, keys, or origins as {@code topic-partition@offset}
 * @param since the earliest time of a selected failure
 */
public record Selection(Set<ImageFailureReason> reasons, Set<String> ids, Optional<Instant> since) {
    boolean takes(FailedImage image) {
        return (ids.isEmpty() || ids.contains(image.imageId()))
                && (reasons.isEmpty() || reasons.contains(image.failure().getReason()));
    }

    boolean takes(DeadLetter letter) {
        return ids.isEmpty() || ids.contains(letter.keyText()) || ids.contains(letter.origin());
    }
}
