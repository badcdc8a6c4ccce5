/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.inference;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.batch.RetryOptions;
import io.tagstream.model.batch.Stages;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.image.DecodeSandbox;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.isolated.DecoderProcesses;
import io.tagstream.model.image.isolated.DecoderStartException;
import io.tagstream.model.image.isolated.Decoders;
import io.tagstream.model.image.isolated.SandboxException;
import io.tagstream.model.onnx.ExecutionProvider;
import io.tagstream.model.onnx.ExecutionProviderException;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Opens the model runtime that a configuration describes. */
public final class ModelRuntimes {
    private ModelRuntimes() {}

    /**
     * Loads the configured model and warms it up, which takes some seconds.
     *
     * @param metrics the registry for its metrics
     * @return the runtime, which the caller must close
     * @throws OperatorException if the bundle is wrong or the execution provider is not available
     */
    public static OnnxModelRuntime open(TagstreamConfig config, MeterRegistry metrics) {
        return open(config, metrics, UnaryOperator.identity());
    }

    /**
     * Does the same as {@link #open(TagstreamConfig, MeterRegistry)}, with a wrapper around the stages.
     *
     * @param around wraps the stages that process images
     */
    public static OnnxModelRuntime open(TagstreamConfig config, MeterRegistry metrics, UnaryOperator<Stages> around) {
        try {
            OnnxModelRuntime.Builder builder = OnnxModelRuntime.builder(
                            Bundle.load(config.getString(TagstreamConfig.MODEL_BUNDLE)))
                    .executionProvider(ExecutionProvider.of(config.getString(InferenceKeys.MODEL_EXECUTION_PROVIDER)))
                    .devices(config.getList(InferenceKeys.MODEL_DEVICES).stream()
                            .map(Integer::valueOf)
                            .toList())
                    .deviceCache(Path.of(config.getString(TagstreamConfig.STATE_DIR)))
                    .batchWait(Duration.ofMillis(config.getInt(InferenceKeys.MODEL_BATCH_WAIT_MILLIS)))
                    .featureCache(config.getInt(InferenceKeys.MODEL_FEATURE_CACHE))
                    .maxAccepted(config.getInt(TagstreamConfig.MODEL_MAX_ACCEPTED))
                    .retry(retry(config))
                    .metrics(metrics)
                    .stages(around)
                    .maxInFlight(config.getInt(InferenceKeys.MODEL_MAX_IN_FLIGHT))
                    .maxPixels(config.getLong(InferenceKeys.DECODE_MAX_PIXELS))
                    .decodeIsolation(isolation(config))
                    .decodeSandbox(sandbox(config))
                    .decodeFormats(formats(config))
                    .decodeTimeout(Duration.ofMillis(config.getInt(InferenceKeys.DECODE_TIMEOUT_MILLIS)))
                    .fetch(fetch(config));
            config.optionalInt(InferenceKeys.MODEL_DEVICE_BATCHES).ifPresent(builder::batchesUnderWay);
            config.optionalInt(InferenceKeys.MODEL_DEVICE_MEMORY).ifPresent(builder::deviceMemoryMib);
            config.optionalInt(InferenceKeys.MODEL_BATCH_SIZE).ifPresent(builder::batchSize);
            config.optionalInt(InferenceKeys.MODEL_THREADS).ifPresent(builder::inferenceThreads);
            config.optionalInt(InferenceKeys.DECODE_THREADS).ifPresent(builder::decodeThreads);
            return builder.build();
        } catch (BundleException e) {
            throw OperatorException.failed(
                    e.getMessage() + "; restore the bundle, or name another with model.bundle", e);
        } catch (ExecutionProviderException e) {
            throw OperatorException.failed(e.getMessage(), e);
        } catch (SandboxException e) {
            throw OperatorException.failed(
                    "%s; to decode without a sandbox, set %s=auto"
                            .formatted(e.getMessage(), InferenceKeys.DECODE_SANDBOX),
                    e);
        } catch (DecoderStartException e) {
            throw OperatorException.failed(
                    "%s; to decode inside this process, set %s=none"
                            .formatted(e.getMessage(), InferenceKeys.DECODE_ISOLATION),
                    e);
        }
    }

    /**
     * Opens a decoder as isolated as the model's, with one process if any, for pictures of another size.
     *
     * @param size side of the square in pixels
     * @return the decoder, which the caller must close
     */
    public static Decoder decoder(TagstreamConfig config, int size, Resize resize) {
        return Decoders.open(
                isolation(config),
                new DecoderProcesses.Options(
                        1,
                        size,
                        resize,
                        config.getLong(InferenceKeys.DECODE_MAX_PIXELS),
                        config.getInt(InferenceKeys.DECODE_MAX_BYTES),
                        Duration.ofMillis(config.getInt(InferenceKeys.DECODE_TIMEOUT_MILLIS)),
                        formats(config),
                        sandbox(config),
                        names()));
    }

    private static DecodeIsolation isolation(TagstreamConfig config) {
        return DecodeIsolation.valueOf(
                config.getString(InferenceKeys.DECODE_ISOLATION).toUpperCase(Locale.ROOT));
    }

    private static DecodeSandbox sandbox(TagstreamConfig config) {
        return DecodeSandbox.valueOf(
                config.getString(InferenceKeys.DECODE_SANDBOX).toUpperCase(Locale.ROOT));
    }

    private static Set<ImageFormat> formats(TagstreamConfig config) {
        return config.getList(InferenceKeys.DECODE_FORMATS).stream()
                .map(name -> ImageFormat.valueOf(name.toUpperCase(Locale.ROOT)))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Returns the configured options for retrying images. */
    public static RetryOptions retry(TagstreamConfig config) {
        return new RetryOptions(
                config.getInt(InferenceKeys.RETRY_MAX_ATTEMPTS),
                Duration.ofMillis(config.getInt(InferenceKeys.RETRY_BACKOFF_MILLIS)),
                Duration.ofMillis(config.getInt(InferenceKeys.RETRY_BACKOFF_MAX_MILLIS)),
                Duration.ofMillis(config.getInt(InferenceKeys.IMAGE_DEADLINE_MILLIS)));
    }

    private static FetchOptions fetch(TagstreamConfig config) {
        return FetchOptions.builder()
                .fileRoots(config.getList(InferenceKeys.FETCH_FILE_ROOTS).stream()
                        .map(Path::of)
                        .toList())
                .allowPrivateAddresses(config.getBoolean(InferenceKeys.FETCH_ALLOW_PRIVATE))
                .concurrency(config.getInt(InferenceKeys.FETCH_CONCURRENCY))
                .connectTimeout(Duration.ofMillis(config.getInt(InferenceKeys.FETCH_CONNECT_TIMEOUT_MILLIS)))
                .timeout(Duration.ofMillis(config.getInt(InferenceKeys.FETCH_TIMEOUT_MILLIS)))
                .userAgent(config.getString(InferenceKeys.FETCH_USER_AGENT))
                .maxRedirects(config.getInt(InferenceKeys.FETCH_MAX_REDIRECTS))
                .maxBytes(config.getInt(InferenceKeys.DECODE_MAX_BYTES))
                .optionNames(names())
                .build();
    }

    private static OptionNames names() {
        return new OptionNames(
                InferenceKeys.FETCH_FILE_ROOTS,
                InferenceKeys.FETCH_ALLOW_PRIVATE,
                InferenceKeys.FETCH_MAX_REDIRECTS,
                InferenceKeys.FETCH_TIMEOUT_MILLIS,
                InferenceKeys.DECODE_MAX_BYTES,
                InferenceKeys.DECODE_MAX_PIXELS,
                InferenceKeys.DECODE_TIMEOUT_MILLIS,
                InferenceKeys.DECODE_FORMATS);
    }
}
