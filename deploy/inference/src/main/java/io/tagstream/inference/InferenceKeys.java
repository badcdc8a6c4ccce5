/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.inference;

import static org.apache.kafka.common.config.ConfigDef.Importance.HIGH;
import static org.apache.kafka.common.config.ConfigDef.Importance.LOW;
import static org.apache.kafka.common.config.ConfigDef.Importance.MEDIUM;
import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;

import io.tagstream.model.batch.PipelineOptions;
import io.tagstream.model.batch.RetryOptions;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.isolated.DecoderProcesses;
import io.tagstream.topology.config.ConfigurationKeys;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ValidList;

/** The configuration keys for the model, and for fetching, decoding and retrying images. */
public final class InferenceKeys implements ConfigurationKeys {
    public static final String MODEL_EXECUTION_PROVIDER = "model.execution.provider";
    public static final String MODEL_BATCH_SIZE = "model.batch.size";
    public static final String MODEL_BATCH_WAIT_MILLIS = "model.batch.wait.ms";
    public static final String MODEL_THREADS = "model.threads";
    public static final String MODEL_MAX_IN_FLIGHT = "model.max.in.flight";
    public static final String MODEL_FEATURE_CACHE = "model.feature.cache";
    public static final String IMAGE_DEADLINE_MILLIS = "image.deadline.ms";
    public static final String RETRY_MAX_ATTEMPTS = "retry.max.attempts";
    public static final String RETRY_BACKOFF_MILLIS = "retry.backoff.ms";
    public static final String RETRY_BACKOFF_MAX_MILLIS = "retry.backoff.max.ms";
    public static final String FETCH_FILE_ROOTS = "fetch.file.roots";
    public static final String FETCH_ALLOW_PRIVATE = "fetch.allow.private";
    public static final String FETCH_CONCURRENCY = "fetch.concurrency";
    public static final String FETCH_CONNECT_TIMEOUT_MILLIS = "fetch.connect.timeout.ms";
    public static final String FETCH_TIMEOUT_MILLIS = "fetch.timeout.ms";
    public static final String FETCH_MAX_REDIRECTS = "fetch.max.redirects";
    public static final String DECODE_MAX_BYTES = "decode.max.bytes";
    public static final String DECODE_MAX_PIXELS = "decode.max.pixels";
    public static final String DECODE_THREADS = "decode.threads";
    public static final String DECODE_ISOLATION = "decode.isolation";
    public static final String DECODE_TIMEOUT_MILLIS = "decode.timeout.ms";

    private static final PipelineOptions PIPELINE = PipelineOptions.DEFAULT;
    private static final FetchOptions FETCH = FetchOptions.DEFAULT;

    @Override
    public void define(ConfigDef definition) {
        definition
                .define(
                        MODEL_EXECUTION_PROVIDER,
                        ConfigDef.Type.STRING,
                        "cpu",
                        ConfigDef.CaseInsensitiveValidString.in("cpu", "cuda", "tensorrt", "auto"),
                        HIGH,
                        "Where the model runs. `cuda` and `tensorrt` stop the start where they are not available; `auto`"
                                + " takes the fastest that is, and says which.")
                .define(
                        MODEL_BATCH_SIZE,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "Images a batch at most. Default: 8 on cpu, 32 elsewhere.")
                .define(
                        MODEL_BATCH_WAIT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) PIPELINE.batchWait().toMillis(),
                        atLeast(0),
                        MEDIUM,
                        "The longest that an image waits for its batch to fill.")
                .define(
                        MODEL_THREADS,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "Threads of a model run on the cpu. Default: the processors available.")
                .define(
                        MODEL_MAX_IN_FLIGHT,
                        ConfigDef.Type.INT,
                        PIPELINE.maxInFlight(),
                        atLeast(1),
                        MEDIUM,
                        "Images that are being fetched, decoded and scored at a time, all partitions together: those that hold"
                                + " bytes and pixels.")
                .define(
                        MODEL_FEATURE_CACHE,
                        ConfigDef.Type.INT,
                        PIPELINE.cachedImages(),
                        atLeast(0),
                        LOW,
                        "Images whose features are held in memory, by their bytes: the same bytes under another id are not"
                                + " decoded and encoded again. The bundled model's take 27 KB an image. 0: none.")
                .define(
                        IMAGE_DEADLINE_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.deadline().toMillis(),
                        atLeast(1),
                        MEDIUM,
                        "How long an image is tried, from its first attempt: no attempt begins and no fetch lasts beyond it."
                                + " Also how long images wait for a host that serves nobody; for one that is slow they wait on.")
                .define(
                        RETRY_MAX_ATTEMPTS,
                        ConfigDef.Type.INT,
                        RetryOptions.DEFAULT.maxAttempts(),
                        atLeast(1),
                        MEDIUM,
                        "Attempts an image, the first included, where the failure may pass: timeouts, refused connections,"
                                + " HTTP 429 and 5xx, failures of the model. 1: no retries.")
                .define(
                        RETRY_BACKOFF_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.backoff().toMillis(),
                        atLeast(0),
                        LOW,
                        "The longest wait before the second attempt. It doubles with every further one, and each wait is drawn"
                                + " evenly between 0 and the longest. A Retry-After that asks for more is respected.")
                .define(
                        RETRY_BACKOFF_MAX_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.maxBackoff().toMillis(),
                        atLeast(0),
                        LOW,
                        "The longest wait before any attempt. Also the longest that a host's Retry-After holds up its other"
                                + " images.")
                .define(
                        FETCH_FILE_ROOTS,
                        ConfigDef.Type.LIST,
                        List.of(),
                        ValidList.anyNonDuplicateValues(true, false),
                        MEDIUM,
                        "Directories under which file: URIs may be read, comma-separated. Default: none.")
                .define(
                        FETCH_ALLOW_PRIVATE,
                        ConfigDef.Type.BOOLEAN,
                        FETCH.allowPrivateAddresses(),
                        MEDIUM,
                        "Whether images may be fetched from loopback, link-local and private addresses. Whoever can submit"
                                + " an image can then make Tagstream read from there.")
                .define(
                        FETCH_CONCURRENCY,
                        ConfigDef.Type.INT,
                        FETCH.concurrency(),
                        atLeast(1),
                        MEDIUM,
                        "Images fetched at a time. At 300 ms a fetch, 100 images a second need 30. One host gets three quarters"
                                + " of them at most, and less while it is overloaded.")
                .define(
                        FETCH_CONNECT_TIMEOUT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) FETCH.connectTimeout().toMillis(),
                        atLeast(1),
                        LOW,
                        "The longest wait for a connection.")
                .define(
                        FETCH_TIMEOUT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) FETCH.timeout().toMillis(),
                        atLeast(1),
                        MEDIUM,
                        "The longest that reading one image may take, redirects and body included.")
                .define(
                        FETCH_MAX_REDIRECTS,
                        ConfigDef.Type.INT,
                        FETCH.maxRedirects(),
                        atLeast(0),
                        LOW,
                        "Redirects followed.")
                .define(
                        DECODE_MAX_BYTES,
                        ConfigDef.Type.INT,
                        FETCH.maxBytes(),
                        atLeast(1),
                        MEDIUM,
                        "The largest image, in bytes.")
                .define(
                        DECODE_MAX_PIXELS,
                        ConfigDef.Type.LONG,
                        PixelBudget.DEFAULT_MAX_PIXELS,
                        atLeast(1),
                        MEDIUM,
                        "The largest image, in pixels, by its header. Images that are decoded at a time have no more together,"
                                + " JPEGs counted a quarter: decoding takes up to 12 bytes a pixel.")
                .define(
                        DECODE_THREADS,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "Threads that decode images. Default: the processors available.")
                .define(
                        DECODE_ISOLATION,
                        ConfigDef.Type.STRING,
                        "process",
                        ConfigDef.CaseInsensitiveValidString.in("process", "none"),
                        MEDIUM,
                        "Where images are decoded. `process`: in as many child processes as `decode.threads`; one that an"
                                + " image crashes is replaced, and the image fails as CORRUPT_IMAGE. `none`: inside this"
                                + " process, which such an image would end, again after every restart.")
                .define(
                        DECODE_TIMEOUT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) DecoderProcesses.DEFAULT_TIMEOUT.toMillis(),
                        atLeast(1),
                        LOW,
                        "The longest that decoding one image may take with `decode.isolation=process`; beyond it the process"
                                + " is ended and the image fails as CORRUPT_IMAGE.");
    }

    @Override
    public void validate(TagstreamConfig config) {
        config.requireAtLeastOne(MODEL_BATCH_SIZE);
        config.requireAtLeastOne(MODEL_THREADS);
        config.requireAtLeastOne(DECODE_THREADS);
    }
}
