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
 * @param maxInFlight images accepted and not yet completed
 * @param fetchThreads images fetched at the same time
 * @param decodeThreads images decoded at the same time
 * @param batchSize a full batch
 * @param batchWait how long an image waits at most for its batch to fill
 */
public record PipelineOptions(
        int maxInFlight, int fetchThreads, int decodeThreads, int batchSize, Duration batchWait) {}
