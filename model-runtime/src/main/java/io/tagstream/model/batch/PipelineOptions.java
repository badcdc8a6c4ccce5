/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.image.FetchOptions;
import java.time.Duration;

/**
 * The pipeline's sizes.
 *
 * @param maxAccepted images accepted and not yet completed, waiting or not; one that waits takes about a kilobyte
 * @param maxInFlight images in the stages, from the start of their fetch, with their bytes and pixels
 * @param fetchThreads images fetched at the same time
 * @param decodeThreads images decoded at the same time
 * @param batchSize the most images of a batch
 * @param batchWait the longest that an image waits for its batch to fill; 0 for no wait
 * @param cachedImages images whose features are kept in case the same bytes come again; 0 for none
 * @param retry how often and how long to try an image
 */
public record PipelineOptions(
        int maxAccepted,
        int maxInFlight,
        int fetchThreads,
        int decodeThreads,
        int batchSize,
        Duration batchWait,
        int cachedImages,
        RetryOptions retry) {

    /** The defaults. */
    public static final PipelineOptions DEFAULT = builder().build();

    public PipelineOptions {
        requirePositive("maxAccepted", maxAccepted);
        requirePositive("maxInFlight", maxInFlight);
        requirePositive("fetchThreads", fetchThreads);
        requirePositive("decodeThreads", decodeThreads);
        requirePositive("batchSize", batchSize);
        if (batchWait.isNegative()) {
            throw new IllegalArgumentException("batchWait must be 0 or more, not " + batchWait);
        }
        if (cachedImages < 0) {
            throw new IllegalArgumentException("cachedImages must be 0 or more, not " + cachedImages);
        }
    }

    /** A builder that begins with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be above 0, not " + value);
        }
    }

    /** Builds {@link PipelineOptions}. */
    public static final class Builder {
        private int maxAccepted = 16_384;
        private int maxInFlight = 256;
        private int fetchThreads = FetchOptions.DEFAULT.concurrency();
        private int decodeThreads = Runtime.getRuntime().availableProcessors();
        private int batchSize = 8;
        private Duration batchWait = Duration.ofMillis(10);
        private int cachedImages = 256;
        private RetryOptions retry = RetryOptions.DEFAULT;

        private Builder() {}

        public Builder maxAccepted(int maxAccepted) {
            this.maxAccepted = maxAccepted;
            return this;
        }

        public Builder maxInFlight(int maxInFlight) {
            this.maxInFlight = maxInFlight;
            return this;
        }

        public Builder fetchThreads(int fetchThreads) {
            this.fetchThreads = fetchThreads;
            return this;
        }

        public Builder decodeThreads(int decodeThreads) {
            this.decodeThreads = decodeThreads;
            return this;
        }

        public Builder batchSize(int batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        public Builder batchWait(Duration batchWait) {
            this.batchWait = batchWait;
            return this;
        }

        public Builder cachedImages(int cachedImages) {
            this.cachedImages = cachedImages;
            return this;
        }

        public Builder retry(RetryOptions retry) {
            this.retry = retry;
            return this;
        }

        /**
         * The options.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public PipelineOptions build() {
            return new PipelineOptions(
                    maxAccepted, maxInFlight, fetchThreads, decodeThreads, batchSize, batchWait, cachedImages, retry);
        }
    }
}
