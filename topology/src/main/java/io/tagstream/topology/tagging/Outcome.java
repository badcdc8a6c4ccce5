/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.ImageMeta;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.header.Headers;

/**
 * The outcome of an image, ready to be written.
 *
 * @param outputs the records to write, in order
 * @param headers the headers of every output
 * @param knowledge what the task knows about the image from now on
 */
record Outcome(List<Output> outputs, Headers headers, Knowledge knowledge) {
    boolean tagged() {
        return knowledge.meta().isPresent();
    }

    boolean failed() {
        return outputs.get(0).sink().equals(TaggingTopology.IMAGE_FAILURES_SINK);
    }

    /** A record for a sink. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Output(String sink, byte[] value) {}

    /** Whether what the task knows about an image changes, and how: {@code meta} is empty for an image that is gone. */
    record Knowledge(boolean changes, Optional<ImageMeta> meta) {
        static final Knowledge AS_BEFORE = new Knowledge(false, Optional.empty());
        static final Knowledge NONE = new Knowledge(true, Optional.empty());

        static Knowledge of(ImageMeta meta) {
            return new Knowledge(true, Optional.of(meta));
        }
    }
}
