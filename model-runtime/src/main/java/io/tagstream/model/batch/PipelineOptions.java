/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import java.time.Duration;

/**
 * The pipeline's sizes.
 *
 * @param maxAccepted images accepted and not yet completed, waiting or not; waiting they take little but their references
 * @param maxInFlight images in the stages, from the beginning of their fetch on, with their bytes and pixels
 * @param fetchThreads images fetched at the same time
 * @param decodeThreads images decoded at the same time
 * @param batchSize a full batch
 * @param batchWait how long an image waits at most for its batch to fill
 * @param cachedImages images whose features are kept in case that the same bytes come again; 0 for none
 * @param retry how often and how long an image is tried
 */
public record PipelineOptions(
        int maxAccepted,
        int maxInFlight,
        int fetchThreads,
        int decodeThreads,
        int batchSize,
        Duration batchWait,
        int cachedImages,
        RetryOptions retry) {}
