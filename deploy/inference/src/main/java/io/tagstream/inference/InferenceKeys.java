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
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.isolated.DecoderProcesses;
import io.tagstream.topology.config.ConfigurationKeys;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ValidList;
import org.apache.kafka.common.config.ConfigException;

/** The configuration keys for the model, and for fetching, decoding and retrying images. */
public final class InferenceKeys implements ConfigurationKeys {
    public static final String MODEL_EXECUTION_PROVIDER = "model.execution.provider";
    public static final String MODEL_DEVICES = "model.devices";
    public static final String MODEL_DEVICE_BATCHES = "model.device.batches";
    public static final String MODEL_DEVICE_MEMORY = "model.device.memory.mib";
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
    public static final String FETCH_USER_AGENT = "fetch.user.agent";
    public static final String DECODE_MAX_BYTES = "decode.max.bytes";
    public static final String DECODE_MAX_PIXELS = "decode.max.pixels";
    public static final String DECODE_THREADS = "decode.threads";
    public static final String DECODE_ISOLATION = "decode.isolation";
    public static final String DECODE_SANDBOX = "decode.sandbox";
    public static final String DECODE_FORMATS = "decode.formats";
    public static final String DECODE_TIMEOUT_MILLIS = "decode.timeout.ms";

    private static final Pattern DEVICE = Pattern.compile("0|[1-9]\\d{0,3}");
    private static final PipelineOptions PIPELINE = PipelineOptions.DEFAULT;
    private static final FetchOptions FETCH = FetchOptions.DEFAULT;
    private static final List<String> FORMATS = Arrays.stream(ImageFormat.values())
            .map(format -> format.name().toLowerCase(Locale.ROOT))
            .toList();

    @Override
    public void define(ConfigDef definition) {
        definition
                .define(
                        MODEL_EXECUTION_PROVIDER,
                        ConfigDef.Type.STRING,
                        "cpu",
                        ConfigDef.CaseInsensitiveValidString.in("cpu", "cuda", "tensorrt", "auto"),
                        HIGH,
                        "Where the model runs. With `cuda` or `tensorrt`, Tagstream does not start if that is not"
                                + " available. `auto` uses cuda if it is available and otherwise the cpu, and logs"
                                + " which.")
                .define(
                        MODEL_DEVICES,
                        ConfigDef.Type.LIST,
                        List.of("0"),
                        ConfigDef.LambdaValidator.with(InferenceKeys::requireDevices, () -> "numbers of GPUs"),
                        MEDIUM,
                        "The GPUs that run the model, by number, comma-separated, such as `0,1`. Each loads the model,"
                                + " and a batch goes to whichever is free. One that fails gets no images until it works"
                                + " again. The cpu is one device.")
                .define(
                        MODEL_DEVICE_BATCHES,
                        ConfigDef.Type.INT,
                        null,
                        LOW,
                        "How many batches are under way on each device: while one is computed, another's images are"
                                + " copied. Default: 1 on the cpu, 2 elsewhere.")
                .define(
                        MODEL_DEVICE_MEMORY,
                        ConfigDef.Type.INT,
                        null,
                        LOW,
                        "The most memory that each of the model's two image graphs may take on a GPU, in MiB. Default:"
                                + " no limit.")
                .define(
                        MODEL_BATCH_SIZE,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "The most images in a batch. Default: 8 on cpu, 32 elsewhere.")
                .define(
                        MODEL_BATCH_WAIT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) PIPELINE.batchWait().toMillis(),
                        atLeast(0),
                        MEDIUM,
                        "The longest time that an image waits for its batch to fill, while other images are on their way.")
                .define(
                        MODEL_THREADS,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "Threads that run the model on the cpu. Default: the number of available processors.")
                .define(
                        MODEL_MAX_IN_FLIGHT,
                        ConfigDef.Type.INT,
                        PIPELINE.maxInFlight(),
                        atLeast(1),
                        MEDIUM,
                        "The most images being fetched, decoded or scored at a time, in all partitions together. Only"
                                + " these take memory for bytes and pixels.")
                .define(
                        MODEL_FEATURE_CACHE,
                        ConfigDef.Type.INT,
                        PIPELINE.cachedImages(),
                        atLeast(0),
                        LOW,
                        "The most images whose features are kept in memory, so that the same bytes under another id"
                                + " are not decoded and encoded again. The bundled model's features take 27 KB per"
                                + " image. 0: none.")
                .define(
                        IMAGE_DEADLINE_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.deadline().toMillis(),
                        atLeast(1),
                        MEDIUM,
                        "How long an image is tried, from its first attempt: no attempt begins and no fetch continues"
                                + " after that. Images that wait for a host also fail once it has answered nobody for"
                                + " this long; they keep waiting for a host that is only slow.")
                .define(
                        RETRY_MAX_ATTEMPTS,
                        ConfigDef.Type.INT,
                        RetryOptions.DEFAULT.maxAttempts(),
                        atLeast(1),
                        MEDIUM,
                        "The most attempts for an image, including the first, if the failure may be temporary:"
                                + " timeouts, refused connections, HTTP 429 and 5xx, failures of the model. 1: no"
                                + " retries.")
                .define(
                        RETRY_BACKOFF_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.backoff().toMillis(),
                        atLeast(0),
                        LOW,
                        "The longest wait before the second attempt. It doubles with each further attempt. The actual"
                                + " wait is random, between 0 and the longest. A Retry-After that asks for more is"
                                + " respected.")
                .define(
                        RETRY_BACKOFF_MAX_MILLIS,
                        ConfigDef.Type.INT,
                        (int) RetryOptions.DEFAULT.maxBackoff().toMillis(),
                        atLeast(0),
                        LOW,
                        "The longest wait before any attempt. Also the longest time that a host's Retry-After delays"
                                + " its other images.")
                .define(
                        FETCH_FILE_ROOTS,
                        ConfigDef.Type.LIST,
                        List.of(),
                        ValidList.anyNonDuplicateValues(true, false),
                        MEDIUM,
                        "Directories whose files may be read through file: URIs, comma-separated. Default: none.")
                .define(
                        FETCH_ALLOW_PRIVATE,
                        ConfigDef.Type.BOOLEAN,
                        FETCH.allowPrivateAddresses(),
                        MEDIUM,
                        "Whether images may be fetched from loopback, link-local and private addresses. If so, anyone"
                                + " who can submit an image can make Tagstream read from there.")
                .define(
                        FETCH_CONCURRENCY,
                        ConfigDef.Type.INT,
                        FETCH.concurrency(),
                        atLeast(1),
                        MEDIUM,
                        "The most images fetched at a time. At 300 ms per fetch, 100 images per second need 30. One"
                                + " host gets at most three quarters of them, and fewer while it is overloaded.")
                .define(
                        FETCH_USER_AGENT,
                        ConfigDef.Type.STRING,
                        FETCH.userAgent(),
                        ConfigDef.LambdaValidator.with(InferenceKeys::requireUserAgent, () -> "printable ASCII"),
                        LOW,
                        "What image hosts are told about who asks. Some hosts want a name with an address for questions,"
                                + " such as Photos/1.0 (+https://photos.example/bot).")
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
                        "The longest time to fetch one image, including redirects and the body.")
                .define(
                        FETCH_MAX_REDIRECTS,
                        ConfigDef.Type.INT,
                        FETCH.maxRedirects(),
                        atLeast(0),
                        LOW,
                        "The most redirects to follow.")
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
                        "The largest image, in pixels, according to its header. Also the limit for all images being"
                                + " decoded at a time. Pixels count by what decoding them takes, up to 8 bytes each:"
                                + " those of a JPEG for 3/8, so that photos of 200 megapixels pass; of a progressive"
                                + " JPEG for 3/4 to 11/8; of an interlaced PNG, a TIFF of 16 bits or an animated WebP"
                                + " double.")
                .define(
                        DECODE_THREADS,
                        ConfigDef.Type.INT,
                        null,
                        MEDIUM,
                        "Threads that decode images. Default: the number of available processors.")
                .define(
                        DECODE_ISOLATION,
                        ConfigDef.Type.STRING,
                        "process",
                        ConfigDef.CaseInsensitiveValidString.in("process", "none"),
                        MEDIUM,
                        "Where images are decoded. `process`: in child processes, as many as `decode.threads`. If an"
                                + " image crashes one, it is replaced, and the image fails with CORRUPT_IMAGE. `none`:"
                                + " inside this process; such an image crashes it, again after every restart.")
                .define(
                        DECODE_SANDBOX,
                        ConfigDef.Type.STRING,
                        "auto",
                        ConfigDef.CaseInsensitiveValidString.in("required", "auto", "off"),
                        MEDIUM,
                        "Whether the processes that decode are kept from files, the network, programs and other"
                                + " processes, which Linux can do on x86_64 and aarch64. `required`: Tagstream does not"
                                + " start without it. `auto`: where it can be had; the log, `/health/ready` and a metric"
                                + " say whether it is in force. `off`: not at all. The container image has `required`.")
                .define(
                        DECODE_FORMATS,
                        ConfigDef.Type.LIST,
                        FORMATS,
                        ValidList.in(false, FORMATS.toArray(String[]::new)),
                        MEDIUM,
                        "The formats to decode, comma-separated. Images of others fail with UNSUPPORTED_FORMAT, and none"
                                + " of their bytes reaches a decoder.")
                .define(
                        DECODE_TIMEOUT_MILLIS,
                        ConfigDef.Type.INT,
                        (int) DecoderProcesses.DEFAULT_TIMEOUT.toMillis(),
                        atLeast(1),
                        LOW,
                        "The longest time to decode one image with `decode.isolation=process`. After that, the process"
                                + " is ended and the image fails with CORRUPT_IMAGE.");
    }

    @Override
    public void validate(TagstreamConfig config) {
        List<String> devices = config.getList(MODEL_DEVICES);
        String provider = config.getString(MODEL_EXECUTION_PROVIDER);
        if (provider.equalsIgnoreCase("cpu") && devices.size() > 1) {
            throw new ConfigException(
                    MODEL_DEVICES,
                    String.join(",", devices),
                    "the cpu is one device; to use several GPUs, set %s=cuda, tensorrt or auto"
                            .formatted(MODEL_EXECUTION_PROVIDER));
        }
        config.requireAtLeastOne(MODEL_DEVICE_BATCHES);
        config.requireAtLeastOne(MODEL_DEVICE_MEMORY);
        config.requireAtLeastOne(MODEL_BATCH_SIZE);
        config.requireAtLeastOne(MODEL_THREADS);
        config.requireAtLeastOne(DECODE_THREADS);
        if (config.getString(DECODE_SANDBOX).equalsIgnoreCase("required")
                && config.getString(DECODE_ISOLATION).equalsIgnoreCase("none")) {
            throw new ConfigException(
                    DECODE_SANDBOX,
                    "required",
                    "only processes can be sandboxed; set " + DECODE_ISOLATION + "=process");
        }
    }

    private static void requireDevices(String key, Object value) {
        List<?> devices = (List<?>) value;
        boolean numbers = devices.stream()
                .allMatch(device -> DEVICE.matcher(String.valueOf(device)).matches());
        if (devices.isEmpty() || !numbers || new HashSet<>(devices).size() < devices.size()) {
            throw new ConfigException(
                    key,
                    devices.stream().map(String::valueOf).collect(Collectors.joining(",")),
                    "it must name different GPUs by number, such as 0,1");
        }
    }

    private static void requireUserAgent(String key, Object value) {
        try {
            FetchOptions.builder().userAgent((String) value);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(key, value, "it must consist of printable ASCII characters");
        }
    }
}
