/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.PendingImage;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What it means that a future of the model runtime failed. */
final class ScoringFailures {
    private static final Logger log = LoggerFactory.getLogger(ScoringFailures.class);

    private ScoringFailures() {}

    /** Whether the future was cancelled; false if {@code thrown} is null. */
    static boolean isCancellation(Throwable thrown) {
        return thrown instanceof CancellationException
                || (thrown != null && thrown.getCause() instanceof CancellationException);
    }

    /** The image's failure; the model's where the runtime threw anything but an {@link ImageException}. */
    static ImageException of(PendingImage image, Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (cause instanceof ImageException failure) {
            return failure;
        }
        log.error("The model runtime failed on {} with an unexpected exception", ImageName.of(image), cause);
        return new ImageException(FailureReason.MODEL_ERROR, "The model failed: " + cause, cause);
    }
}
