/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.batch.RetryOptions;
import io.tagstream.model.batch.Stages;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.isolated.DecoderStartException;
import io.tagstream.model.onnx.ExecutionProvider;
import io.tagstream.model.onnx.ExecutionProviderException;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.topology.TagstreamConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The model runtime that a configuration describes. */
public final class ModelRuntimes {
    private ModelRuntimes() {}

    /**
     * Loads the configured model and warms it up: some seconds.
     *
     * @param metrics where it measures into
     * @return the caller's to close
     * @throws OperatorException if the bundle is wrong or the execution provider is not available
     */
    public static OnnxModelRuntime open(TagstreamConfig config, MeterRegistry metrics) {
        return open(config, metrics, UnaryOperator.identity());
    }

    /**
     * As {@link #open(TagstreamConfig, MeterRegistry)}.
     *
     * @param around put around what is done to images
     */
    public static OnnxModelRuntime open(TagstreamConfig config, MeterRegistry metrics, UnaryOperator<Stages> around) {
        try {
            OnnxModelRuntime.Builder builder = OnnxModelRuntime.builder(
                            Bundle.load(config.getString(TagstreamConfig.MODEL_BUNDLE)))
                    .executionProvider(ExecutionProvider.of(config.getString(TagstreamConfig.MODEL_EXECUTION_PROVIDER)))
                    .batchWait(Duration.ofMillis(config.getInt(TagstreamConfig.MODEL_BATCH_WAIT_MILLIS)))
                    .featureCache(config.getInt(TagstreamConfig.MODEL_FEATURE_CACHE))
                    .maxAccepted(config.getInt(TagstreamConfig.MODEL_MAX_ACCEPTED))
                    .retry(retry(config))
                    .metrics(metrics)
                    .stages(around)
                    .maxInFlight(config.getInt(TagstreamConfig.MODEL_MAX_IN_FLIGHT))
                    .maxPixels(config.getLong(TagstreamConfig.DECODE_MAX_PIXELS))
                    .decodeIsolation(isolation(config))
                    .decodeTimeout(Duration.ofMillis(config.getInt(TagstreamConfig.DECODE_TIMEOUT_MILLIS)))
                    .fetch(fetch(config));
            config.optionalInt(TagstreamConfig.MODEL_BATCH_SIZE).ifPresent(builder::batchSize);
            config.optionalInt(TagstreamConfig.MODEL_THREADS).ifPresent(builder::inferenceThreads);
            config.optionalInt(TagstreamConfig.DECODE_THREADS).ifPresent(builder::decodeThreads);
            return builder.build();
        } catch (BundleException e) {
            throw OperatorException.failed(
                    e.getMessage() + "; restore the bundle, or name another with model.bundle", e);
        } catch (ExecutionProviderException e) {
            throw OperatorException.failed(e.getMessage(), e);
        } catch (DecoderStartException e) {
            throw OperatorException.failed(
                    "%s; %s=none decodes inside this process"
                            .formatted(e.getMessage(), TagstreamConfig.DECODE_ISOLATION),
                    e);
        }
    }

    private static DecodeIsolation isolation(TagstreamConfig config) {
        return DecodeIsolation.valueOf(
                config.getString(TagstreamConfig.DECODE_ISOLATION).toUpperCase(Locale.ROOT));
    }

    /** How images are tried again, by configuration. */
    public static RetryOptions retry(TagstreamConfig config) {
        return new RetryOptions(
                config.getInt(TagstreamConfig.RETRY_MAX_ATTEMPTS),
                Duration.ofMillis(config.getInt(TagstreamConfig.RETRY_BACKOFF_MILLIS)),
                Duration.ofMillis(config.getInt(TagstreamConfig.RETRY_BACKOFF_MAX_MILLIS)),
                Duration.ofMillis(config.getInt(TagstreamConfig.IMAGE_DEADLINE_MILLIS)));
    }

    private static FetchOptions fetch(TagstreamConfig config) {
        return FetchOptions.builder()
                .fileRoots(config.getList(TagstreamConfig.FETCH_FILE_ROOTS).stream()
                        .map(Path::of)
                        .toList())
                .allowPrivateAddresses(config.getBoolean(TagstreamConfig.FETCH_ALLOW_PRIVATE))
                .concurrency(config.getInt(TagstreamConfig.FETCH_CONCURRENCY))
                .connectTimeout(Duration.ofMillis(config.getInt(TagstreamConfig.FETCH_CONNECT_TIMEOUT_MILLIS)))
                .timeout(Duration.ofMillis(config.getInt(TagstreamConfig.FETCH_TIMEOUT_MILLIS)))
                .maxRedirects(config.getInt(TagstreamConfig.FETCH_MAX_REDIRECTS))
                .maxBytes(config.getInt(TagstreamConfig.DECODE_MAX_BYTES))
                .optionNames(new OptionNames(
                        TagstreamConfig.FETCH_FILE_ROOTS,
                        TagstreamConfig.FETCH_ALLOW_PRIVATE,
                        TagstreamConfig.FETCH_MAX_REDIRECTS,
                        TagstreamConfig.FETCH_TIMEOUT_MILLIS,
                        TagstreamConfig.DECODE_MAX_BYTES,
                        TagstreamConfig.DECODE_MAX_PIXELS,
                        TagstreamConfig.DECODE_TIMEOUT_MILLIS))
                .build();
    }
}
