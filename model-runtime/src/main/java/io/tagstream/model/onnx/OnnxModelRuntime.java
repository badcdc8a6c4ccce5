/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.model.DeviceState;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.model.Priority;
import io.tagstream.model.batch.Device;
import io.tagstream.model.batch.PipelineMetric;
import io.tagstream.model.batch.PipelineOptions;
import io.tagstream.model.batch.RetryOptions;
import io.tagstream.model.batch.ScoringPipeline;
import io.tagstream.model.batch.Stages;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.image.DecodeSandbox;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.ImageFetcher;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.Sandbox;
import io.tagstream.model.image.isolated.DecoderProcesses;
import io.tagstream.model.image.isolated.DecoderStartException;
import io.tagstream.model.image.isolated.Decoders;
import io.tagstream.model.text.LabelTextEncoder;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bundle on ONNX Runtime.
 *
 * <p><i>Threading notes.</i> See {@link ModelRuntime} and {@link ScoringPipeline}. Building opens the sessions, runs
 * every batch size once, so that none runs for the first time in production, and runs the bundle's self-test.
 * {@link #explain} runs on the caller's thread, one call at a time, in parallel to the inference thread.
 *
 * <p>ONNX Runtime reports to its maker unless {@value io.tagstream.model.Telemetry#VARIABLE} is {@code 1} in the
 * environment in which the process starts; see {@link io.tagstream.model.Telemetry}.
 */
public final class OnnxModelRuntime implements ModelRuntime {
    private static final Logger LOG = LoggerFactory.getLogger(OnnxModelRuntime.class);
    // all graphs of the format use float32, and TF32 is off
    private static final String PRECISION = "fp32";
    // a CPU gains nothing from batches as large
    private static final int GPU_BATCH_SIZE = 32;
    private static final int GPU_BATCHES_UNDER_WAY = 2;

    private final ModelDescription description;
    private final Duration longestImage;
    private final Sessions sessions;
    private final LabelTextEncoder labelEncoder;
    private final ImageFetcher fetcher;
    private final Decoder decoder;
    private final List<OnnxDevice> devices;
    private final ScoringPipeline pipeline;
    /** Guards {@link #explainingScorer}. */
    private final Object explaining = new Object();

    private ImageScorer explainingScorer;
    private boolean explainingEnded;
    private boolean closed;

    private OnnxModelRuntime(Builder builder) {
        Bundle bundle = builder.bundle;
        BundleDescription bundled = bundle.description();
        sessions = Sessions.open(bundle, builder.executionProvider, builder.inferenceThreads, builder.deviceOptions());
        PipelineOptions options;
        LabelTextEncoder openedEncoder = null;
        List<OnnxDevice> openedDevices = new ArrayList<>();
        Decoder openedDecoder = null;
        boolean complete = false;
        try {
            options = builder.pipelineOptions(sessions.provider());
            description = ModelDescription.builder()
                    .id(bundled.id())
                    .version("%s+%s.%s".formatted(bundled.version(), sessions.provider(), PRECISION))
                    .generation(bundled.generation())
                    .textFingerprint(bundle.textFingerprint())
                    .embeddingSize(bundled.image().embeddingSize())
                    .defaultThreshold(bundled.scoring().defaultThreshold())
                    .topK(bundled.scoring().topK())
                    .featureBytes(bundled.featureBytes())
                    .candidateCutoff(bundled.scoring().candidateCutoff())
                    .build();
            longestImage = options.retry().deadline();
            openedEncoder = new LabelTextEncoder(bundle, sessions.text());
            for (Sessions.OnDevice device : sessions.devices()) {
                for (int i = 0; i < builder.batchesUnderWay(sessions.provider()); i++) {
                    ImageScorer scorer = ImageScorer.ofBatches(sessions, device, options.batchSize());
                    openedDevices.add(new OnnxDevice(device.name(), scorer));
                    if (i == 0) {
                        SelfTest.run(bundle, openedEncoder, scorer);
                    }
                }
            }
            openedDecoder = builder.openDecoder(options);
            decoder = openedDecoder;
            PipelineMetric.DECODE_SANDBOXED.gauge(
                    builder.metrics, openedDecoder, opened -> opened.sandbox().inForce() ? 1 : 0);
            fetcher = new ImageFetcher(builder.fetch);
            labelEncoder = openedEncoder;
            devices = List.copyOf(openedDevices);
            pipeline = new ScoringPipeline(builder.stages.apply(new ModelStages()), options, builder.metrics);
            complete = true;
        } finally {
            if (!complete) {
                if (openedDecoder != null) {
                    openedDecoder.close();
                }
                closeModel(openedDevices, openedEncoder);
            }
        }
        LOG.info(
                "model {} {} on {}: batches of up to {}, {} inference and {} decode threads (isolation: {}), {} images in flight"
                        + " at most",
                description.id(),
                description.version(),
                devices.stream().map(OnnxDevice::name).distinct().collect(Collectors.joining(", ")),
                options.batchSize(),
                builder.inferenceThreads,
                options.decodeThreads(),
                builder.decodeIsolation,
                options.maxInFlight());
    }

    /** What keeps the decoders of images from everything else. */
    public Sandbox sandbox() {
        return decoder.sandbox();
    }

    /** A builder that begins with the defaults. */
    public static Builder builder(Bundle bundle) {
        return new Builder(bundle);
    }

    @Override
    public Duration longestImage() {
        return longestImage;
    }

    @Override
    public ModelDescription description() {
        return description;
    }

    @Override
    public LabelVector encodeLabel(LabelText text) throws LabelTextException {
        return labelEncoder.encode(text);
    }

    @Override
    public boolean isSaturated() {
        return pipeline.isSaturated();
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        return pipeline.trySubmit(request, labels);
    }

    @Override
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        return pipeline.tryScore(images, labels, priority);
    }

    @Override
    public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) throws ImageException {
        synchronized (explaining) {
            if (explainingEnded) {
                throw new ImageException(FailureReason.MODEL_ERROR, "the runtime is closed");
            }
            if (explainingScorer == null) {
                explainingScorer =
                        ImageScorer.ofSingleImages(sessions, sessions.devices().get(0));
            }
            try {
                return explainingScorer.explain(image, labels);
            } catch (OrtException | IllegalArgumentException e) {
                throw new ImageException(FailureReason.MODEL_ERROR, e.getMessage(), e);
            }
        }
    }

    /**
     * A separate scorer that uses this runtime's sessions and threads, for pixels that are already prepared. The caller
     * closes it before this runtime.
     */
    public ImageScorer scorer() {
        return ImageScorer.ofBatches(
                sessions, sessions.devices().get(0), devices.get(0).scorer().maxBatch());
    }

    /** Bytes of an image prepared for the model: size x size x 3. */
    public int pixelBytes() {
        return decoder.bytes();
    }

    /**
     * Fetches and decodes an image on the calling thread.
     *
     * @param target a direct buffer of {@link #pixelBytes} bytes, such as {@link ImageScorer#pixels}
     * @return the image's own size, upright
     */
    public ImageSize loadPixels(ImageRequest request, ByteBuffer target) throws ImageException, InterruptedException {
        try (EncodedImage image = fetcher.fetch(request)) {
            return decoder.decode(image.bytes(), target);
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        // aborts requests and decoding that are in progress, so that the pipeline need not wait for them
        fetcher.close();
        decoder.close();
        pipeline.close();
        synchronized (explaining) {
            explainingEnded = true;
            if (explainingScorer != null) {
                explainingScorer.close();
            }
        }
        closeModel(devices, labelEncoder);
    }

    @Override
    public List<DeviceState> devices() {
        return pipeline.devices();
    }

    private void closeModel(List<OnnxDevice> opened, LabelTextEncoder encoder) {
        opened.forEach(device -> device.scorer().close());
        if (encoder != null) {
            encoder.close();
        }
        sessions.close();
    }

    private final class ModelStages implements Stages {
        @Override
        public String source(ImageRequest request) {
            return ImageFetcher.source(request);
        }

        @Override
        public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
            return fetcher.fetch(request, longest);
        }

        @Override
        public int pixelBytes() {
            return decoder.bytes();
        }

        @Override
        public ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException, InterruptedException {
            return decoder.decode(image.bytes(), target);
        }

        @Override
        public List<Device> devices() {
            return List.copyOf(devices);
        }

        @Override
        public int featureBytes() {
            return description.featureBytes();
        }

        @Override
        public int imagesPerPart(LabelVectors labels) {
            return devices.get(0).scorer().imagesPerPart(labels);
        }
    }

    /**
     * Builds an {@link OnnxModelRuntime}.
     *
     * <p>The options that matter most: {@link #executionProvider executionProvider} and {@link #fetch fetch}, without
     * which no file is read. {@link PipelineOptions#DEFAULT}, {@link RetryOptions#DEFAULT}, {@link FetchOptions#DEFAULT},
     * {@link PixelBudget#DEFAULT_MAX_PIXELS} and {@link DecoderProcesses#DEFAULT_TIMEOUT} hold the defaults that are not
     * said here.
     */
    public static final class Builder {
        private final Bundle bundle;
        private final PipelineOptions.Builder pipeline = PipelineOptions.builder();
        private ExecutionProvider executionProvider = ExecutionProvider.CPU;
        private List<Integer> devices = DeviceOptions.DEFAULT.devices();
        private OptionalInt batchesUnderWay = OptionalInt.empty();
        private OptionalInt deviceMemoryMib = OptionalInt.empty();
        private Optional<Path> deviceCache = Optional.empty();
        private int inferenceThreads = Runtime.getRuntime().availableProcessors();
        private Optional<Integer> batchSize = Optional.empty();
        private UnaryOperator<Stages> stages = UnaryOperator.identity();
        private MeterRegistry metrics = new CompositeMeterRegistry();
        private long maxPixels = PixelBudget.DEFAULT_MAX_PIXELS;
        private DecodeIsolation decodeIsolation = DecodeIsolation.NONE;
        private Set<ImageFormat> decodeFormats = Set.of(ImageFormat.values());
        private DecodeSandbox decodeSandbox = DecodeSandbox.AUTO;
        private Duration decodeTimeout = DecoderProcesses.DEFAULT_TIMEOUT;
        private FetchOptions fetch = FetchOptions.DEFAULT;

        private Builder(Bundle bundle) {
            this.bundle = bundle;
        }

        /** What runs the image graphs. Default: {@link ExecutionProvider#CPU}. */
        public Builder executionProvider(ExecutionProvider executionProvider) {
            this.executionProvider = executionProvider;
            return this;
        }

        /**
         * The numbers of the GPUs to run the image graphs on, each of which gets batches when it is free. Default: 0. The
         * CPU is one device.
         */
        public Builder devices(List<Integer> devices) {
            this.devices = devices;
            return this;
        }

        /** The most memory that each graph may take on a GPU. Default: no limit. */
        public Builder deviceMemoryMib(int deviceMemoryMib) {
            this.deviceMemoryMib = OptionalInt.of(deviceMemoryMib);
            return this;
        }

        /**
         * How many batches are under way on each device: while one is computed, another's images are copied. Default: 1 on
         * the CPU, which has other work for its cores, and 2 on a GPU.
         */
        public Builder batchesUnderWay(int batchesUnderWay) {
            if (batchesUnderWay < 1) {
                throw new IllegalArgumentException("batchesUnderWay must be above 0, not " + batchesUnderWay);
            }
            this.batchesUnderWay = OptionalInt.of(batchesUnderWay);
            return this;
        }

        /** A directory in which TensorRT keeps what it has compiled. Default: it compiles at every start. */
        public Builder deviceCache(Path deviceCache) {
            this.deviceCache = Optional.of(deviceCache);
            return this;
        }

        /** How many threads one inference uses. Default: one for each available processor. */
        public Builder inferenceThreads(int inferenceThreads) {
            if (inferenceThreads < 1) {
                throw new IllegalArgumentException("inferenceThreads must be above 0, not " + inferenceThreads);
            }
            this.inferenceThreads = inferenceThreads;
            return this;
        }

        /** How many images are decoded at the same time. Default: one for each available processor. */
        public Builder decodeThreads(int decodeThreads) {
            pipeline.decodeThreads(decodeThreads);
            return this;
        }

        /** The most images of a batch. Default: 8 on the CPU, which gains nothing from more, and 32 on a GPU. */
        public Builder batchSize(int batchSize) {
            this.batchSize = Optional.of(batchSize);
            return this;
        }

        /** The longest that an image waits for its batch to fill; 0 for no wait. */
        public Builder batchWait(Duration batchWait) {
            pipeline.batchWait(batchWait);
            return this;
        }

        /**
         * The most images that may be accepted and not yet completed, including those that wait for their turn, their source
         * or another attempt. One that waits takes about a kilobyte.
         */
        public Builder maxAccepted(int maxAccepted) {
            pipeline.maxAccepted(maxAccepted);
            return this;
        }

        /**
         * How many images' features to keep, so that the same bytes under another reference are neither decoded nor encoded
         * again; 0 for none. Each takes {@link ModelDescription#featureBytes}.
         */
        public Builder featureCache(int images) {
            pipeline.cachedImages(images);
            return this;
        }

        /** How often and how long to try an image if its failure may pass. */
        public Builder retry(RetryOptions retry) {
            pipeline.retry(retry);
            return this;
        }

        /** Where to record {@link io.tagstream.model.batch.PipelineMetric}. Default: nowhere. */
        public Builder metrics(MeterRegistry metrics) {
            this.metrics = metrics;
            return this;
        }

        /** Wraps the stages that images pass, for example with a benchmark's stopwatch. */
        public Builder stages(UnaryOperator<Stages> around) {
            this.stages = around;
            return this;
        }

        /** The most images that may be fetched, decoded and scored at a time, with their bytes and pixels. */
        public Builder maxInFlight(int maxInFlight) {
            pipeline.maxInFlight(maxInFlight);
            return this;
        }

        /**
         * The most pixels that an image may have, by its header, and that all images being decoded at a time may have
         * together.
         */
        public Builder maxPixels(long maxPixels) {
            if (maxPixels < 1) {
                throw new IllegalArgumentException("maxPixels must be above 0, not " + maxPixels);
            }
            this.maxPixels = maxPixels;
            return this;
        }

        /** Where to decode images. Default: {@link DecodeIsolation#NONE}. */
        public Builder decodeIsolation(DecodeIsolation decodeIsolation) {
            this.decodeIsolation = decodeIsolation;
            return this;
        }

        /**
         * Whether to keep processes that decode from everything else, with {@link DecodeIsolation#PROCESS}. Default:
         * {@link DecodeSandbox#AUTO}.
         */
        public Builder decodeSandbox(DecodeSandbox decodeSandbox) {
            this.decodeSandbox = decodeSandbox;
            return this;
        }

        /** The formats to decode. Default: all. */
        public Builder decodeFormats(Set<ImageFormat> decodeFormats) {
            this.decodeFormats = Set.copyOf(decodeFormats);
            return this;
        }

        /** The longest that decoding an image may take with {@link DecodeIsolation#PROCESS}. */
        public Builder decodeTimeout(Duration decodeTimeout) {
            if (decodeTimeout.isNegative() || decodeTimeout.isZero()) {
                throw new IllegalArgumentException("decodeTimeout must be above 0, not " + decodeTimeout);
            }
            this.decodeTimeout = decodeTimeout;
            return this;
        }

        /** Where images may come from, and how much they may take. Default: no files, and no private addresses. */
        public Builder fetch(FetchOptions fetch) {
            this.fetch = fetch;
            return this;
        }

        /**
         * Loads the model, warms it up and runs the bundle's self-test.
         *
         * @throws IllegalArgumentException if a size is out of range
         * @throws io.tagstream.model.bundle.BundleException if the bundle's graphs or self-test are wrong
         * @throws ExecutionProviderException if the execution provider is not available
         * @throws DecoderStartException if decoder processes are wanted and do not start
         */
        public OnnxModelRuntime build() {
            return new OnnxModelRuntime(this);
        }

        private int batchesUnderWay(ExecutionProvider provider) {
            return batchesUnderWay.orElse(provider == ExecutionProvider.CPU ? 1 : GPU_BATCHES_UNDER_WAY);
        }

        private DeviceOptions deviceOptions() {
            if (executionProvider == ExecutionProvider.CPU && devices.size() > 1) {
                throw new IllegalArgumentException("the execution provider cpu is one device, not " + devices);
            }
            return new DeviceOptions(devices, deviceMemoryMib, deviceCache);
        }

        private PipelineOptions pipelineOptions(ExecutionProvider provider) {
            int otherwise = provider == ExecutionProvider.CPU ? PipelineOptions.DEFAULT.batchSize() : GPU_BATCH_SIZE;
            return pipeline.fetchThreads(fetch.concurrency())
                    .batchSize(batchSize.orElse(otherwise))
                    .build();
        }

        private Decoder openDecoder(PipelineOptions options) {
            return Decoders.open(
                    decodeIsolation,
                    new DecoderProcesses.Options(
                            options.decodeThreads(),
                            bundle.description().image().size(),
                            bundle.description().image().resize(),
                            maxPixels,
                            fetch.maxBytes(),
                            decodeTimeout,
                            decodeFormats,
                            decodeSandbox,
                            fetch.optionNames()));
        }
    }
}
