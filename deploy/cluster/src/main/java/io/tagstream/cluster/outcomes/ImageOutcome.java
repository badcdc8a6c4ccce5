/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.outcomes;

import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.TagEvent;

/** The outcome for an image. */
public sealed interface ImageOutcome {
    /** The id of the image. */
    String imageId();

    /** Where the image is, or was. */
    String uri();

    /** The image's current tags. */
    record Tagged(String imageId, TagEvent event) implements ImageOutcome {
        @Override
        public String uri() {
            return event.getUri();
        }
    }

    /** The image could not be tagged; it keeps any tags that it had before. */
    record Failed(String imageId, ImageFailure failure) implements ImageOutcome {
        @Override
        public String uri() {
            return failure.getReference().getUri();
        }
    }

    /** The image and its tags have been deleted. */
    record Deleted(String imageId, String uri) implements ImageOutcome {}
}
