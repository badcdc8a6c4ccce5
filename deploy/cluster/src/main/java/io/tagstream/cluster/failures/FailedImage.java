/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.RecordOrigin;
import java.time.Instant;
import org.apache.kafka.common.header.Headers;

/**
 * A record on image-failures.
 *
 * @param headers the record's headers, which are those of the images record that failed
 * @param writtenAt the record's timestamp
 */
public record FailedImage(String imageId, ImageFailure failure, Headers headers, Instant writtenAt) {
    /** The timestamp of the images record that failed. */
    Instant submittedAt() {
        return failure.getTimestamp() == null ? writtenAt : failure.getTimestamp();
    }

    /** Where the images record was: {@code topic-partition@offset}. */
    public String origin() {
        RecordOrigin origin = failure.getOrigin();
        return "%s-%d@%d".formatted(origin.getTopic(), origin.getPartition(), origin.getOffset());
    }
}
