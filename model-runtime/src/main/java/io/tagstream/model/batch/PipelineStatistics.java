/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

/**
 * What the pipeline has done since it was made.
 *
 * @param accepted images in it now, waiting or not
 * @param succeeded images scored
 * @param failed images failed
 * @param retries attempts that failed and were followed by another
 * @param batches batches run
 * @param batchedImages images in them
 * @param fetchNanos time spent fetching, all threads together
 * @param decodeNanos time spent decoding, all threads together
 * @param inferenceNanos time spent in the model
 */
public record PipelineStatistics(
        int accepted,
        long succeeded,
        long failed,
        long retries,
        long batches,
        long batchedImages,
        long fetchNanos,
        long decodeNanos,
        long inferenceNanos) {

    /** Images a batch on average; 0 before the first. */
    public double meanBatchSize() {
        return batches == 0 ? 0 : (double) batchedImages / batches;
    }
}
