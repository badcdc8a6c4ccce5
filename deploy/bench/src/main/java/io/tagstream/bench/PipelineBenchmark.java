/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.Label;
import io.tagstream.bench.ScrapedPhase.StageMean;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.inference.ModelRuntimes;
import io.tagstream.local.DataDirectory;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.batch.PipelineMetric.Stage;
import io.tagstream.model.onnx.DirectLabelVectors;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Compares {@code tagstream run} with ONNX Runtime in a bare loop. The broker, the instance and the loop have a process
 * each. The two take turns: bare, pipeline, bare, pipeline, so that other load on the machine affects both.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything that is measured.
 */
public final class PipelineBenchmark {
    private static final int ROUNDS = 3;
    /** The length of the warm-up in measurements: enough for Java's compiler to do most of its work. */
    private static final int WARM_UP_ROUNDS = 2;

    /** The time until the pipeline is full. */
    private static final Duration RUN_UP = Duration.ofSeconds(2);

    /** Limited because their pixels are kept in memory: 150 KB each at 224 x 224. */
    private static final int MOST_IMAGES = 256;
    /** How many seconds' worth of images to keep under way, so that the model never waits for Kafka's commits. */
    private static final double WINDOW_SECONDS = 2;

    private static final double NANOS_PER_MILLI = 1e6;
    private static final int SMALLEST_WINDOW = 64;
    private static final int LARGEST_WINDOW = 4096;

    private final Options options;
    private final Consumer<String> progress;
    private final StopSignal stop;

    /**
     * What to measure.
     *
     * @param images a folder
     * @param labels size of the vocabulary
     * @param round length of each measurement
     * @param settings further settings
     */
    public record Options(Path images, int labels, Duration round, Map<String, String> settings) {}

    private PipelineBenchmark(Options options, Consumer<String> progress, StopSignal stop) {
        this.options = options;
        this.progress = progress;
        this.stop = stop;
    }

    /**
     * Measures.
     *
     * @param progress receives a line after each step
     * @return empty if a stop was requested before there was a result
     * @throws OperatorException if the benchmark cannot run, or if the pipeline and the bare loop have not done the
     *     same work
     */
    public static Optional<PipelineResult> run(Options options, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        try {
            return Optional.of(new PipelineBenchmark(options, progress, stop).run());
        } catch (StoppedException e) {
            return Optional.empty();
        }
    }

    private PipelineResult run() throws InterruptedException {
        BenchPhotos found = BenchPhotos.of(options.images(), MOST_IMAGES);
        Settings settings = new Settings()
                .environment(System.getenv())
                .with(InferenceKeys.MODEL_FEATURE_CACHE, 0) // the same photos are used repeatedly
                .flags(options.settings())
                .with(InferenceKeys.FETCH_FILE_ROOTS, found.roots());
        try (DataDirectory data = DataDirectory.open(Optional.empty());
                BrokerProcess broker = BrokerProcess.start(data.kafka())) {
            TagstreamConfig config = settings.with(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers())
                    .with(TagstreamConfig.SCHEMA_REGISTRY_URL, broker.registryUrl())
                    .with(TagstreamConfig.STATE_DIR, data.state().toString())
                    .with(TagstreamConfig.TOPICS_REPLICATION_FACTOR, "1")
                    .config();
            Map<String, Label> labels =
                    BenchLabels.ofSize(options.labels(), config.getString(TagstreamConfig.MODEL_BUNDLE));
            TopicProvisioner.provision(config);
            try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
                Contracts contracts = new Contracts(registry);
                contracts.register(config);
                new VocabularyTopic(config, contracts).replace(labels);
                progress.accept("encoding %d labels".formatted(labels.size()));
                try (ShippedInstance instance = ShippedInstance.start(config, data.kafka());
                        OnnxModelRuntime runtime = ModelRuntimes.open(config, new SimpleMeterRegistry())) {
                    return run(config, contracts, labels, found, runtime, new Measured(broker, instance));
                }
            }
        }
    }

    /** The processes that are measured. */
    private record Measured(BrokerProcess broker, ShippedInstance instance) {}

    private PipelineResult run(
            TagstreamConfig config,
            Contracts contracts,
            Map<String, Label> labels,
            BenchPhotos found,
            OnnxModelRuntime runtime,
            Measured measured)
            throws InterruptedException {
        DirectLabelVectors vectors = encode(labels, runtime);
        List<NamedImage> images = new ArrayList<>();
        List<ByteBuffer> pixels = new ArrayList<>();
        decode(found.images(), runtime, images, pixels);
        measured.instance().awaitReady(stop::isRequested);
        endIfStopped();
        try (BareLoop bare = new BareLoop(runtime, pixels, vectors);
                Uploads uploads = new Uploads(
                        images, config, contracts, () -> measured.instance().cpuNanos(), stop::isRequested)) {
            ScoreCheck check = check(labels, images, bare.scores(), config, runtime.description());
            uploads.check((event, image) -> check.check(image, event));
            return measure(measured, bare, check, uploads);
        }
    }

    private PipelineResult measure(Measured measured, BareLoop bare, ScoreCheck check, Uploads uploads) {
        List<Speed> raw = new ArrayList<>();
        List<Speed> pipeline = new ArrayList<>();
        bare.run(RUN_UP);
        uploads.saturate(options.round().multipliedBy(WARM_UP_ROUNDS), SMALLEST_WINDOW, () -> {});
        endIfStopped();
        ScrapedPhase saturation = new ScrapedPhase(measured.instance()::scrape);
        long brokerNanos = 0;
        for (int round = 1; round <= ROUNDS; round++) {
            raw.add(bare.run(options.round()));
            endIfStopped();
            report("bare loop", round, raw);
            double speed = Speed.sum(raw).imagesPerSecond();
            int window = Math.max(SMALLEST_WINDOW, Math.min(LARGEST_WINDOW, (int) (speed * WINDOW_SECONDS)));
            long[] before = new long[1];
            pipeline.add(uploads.saturate(options.round(), window, () -> {
                saturation.begin();
                before[0] = measured.broker().cpuNanos();
            }));
            brokerNanos += measured.broker().cpuNanos() - before[0];
            saturation.end();
            endIfStopped();
            report("pipeline", round, pipeline);
        }
        Speed saturated = Speed.sum(pipeline);
        progress.accept("measuring latency at half the pipeline's speed");
        ScrapedPhase half = new ScrapedPhase(measured.instance()::scrape);
        half.begin();
        long end = System.nanoTime() + options.round().toNanos();
        Uploads.Latencies latencies =
                uploads.atRate(saturated.imagesPerSecond() / 2, () -> System.nanoTime() > end, () -> {});
        half.end();
        endIfStopped();
        if (uploads.takeEvents() > 0) {
            throw OperatorException.failed("some images have more than one outcome");
        }
        List<StageMean> stages = half.stages();
        stages.add(new StageMean(
                "commit", StageTime.of("commit", latencies.commit()).meanMillis()));
        return new PipelineResult(
                Speed.sum(raw),
                saturated,
                brokerNanos / NANOS_PER_MILLI / saturated.images(),
                StageTime.of("total", latencies.total()),
                stages,
                saturation.meanBatchSize(),
                saturation.millis(Stage.FETCH),
                saturation.millis(Stage.DECODE),
                saturation.modelMillis(),
                // an image's mean model time in the saturated rounds, times images per second
                Math.min(1, saturation.modelMillis() * saturated.imagesPerSecond() / 1000),
                measured.instance().peakResidentMib(),
                check.checked(),
                check.largestDifference());
    }

    private static ScoreCheck check(
            Map<String, Label> labels,
            List<NamedImage> images,
            float[][] scores,
            TagstreamConfig config,
            ModelDescription model) {
        Map<String, Integer> places = new HashMap<>();
        labels.keySet().forEach(id -> places.put(id, places.size()));
        return new ScoreCheck(
                images.stream().map(NamedImage::id).toList(),
                places,
                scores,
                config.minScore().orElse(model.defaultThreshold()),
                config.topK().orElse(model.topK()));
    }

    private DirectLabelVectors encode(Map<String, Label> labels, OnnxModelRuntime runtime) {
        List<LabelVector> vectors = new ArrayList<>();
        for (Label label : labels.values()) {
            endIfStopped();
            try {
                vectors.add(runtime.encodeLabel(new LabelText(label.getName(), label.getPrompts())));
            } catch (LabelTextException e) {
                throw OperatorException.failed(e.getMessage(), e);
            }
        }
        return new DirectLabelVectors(vectors);
    }

    private void decode(
            List<NamedImage> found, OnnxModelRuntime runtime, List<NamedImage> images, List<ByteBuffer> pixels)
            throws InterruptedException {
        int size = runtime.pixelBytes();
        for (NamedImage image : found) {
            ByteBuffer target = ByteBuffer.allocateDirect(size);
            try {
                runtime.loadPixels(new ImageRequest(image.uri().toString(), Optional.empty()), target);
                images.add(image);
                pixels.add(target);
            } catch (ImageException e) {
                progress.accept("left out %s: %s".formatted(image.id(), e.getMessage()));
            }
        }
        if (images.isEmpty()) {
            throw OperatorException.invalid("none of the images in %s can be decoded".formatted(options.images()));
        }
        progress.accept("%d different images".formatted(images.size()));
    }

    private void report(String name, int round, List<Speed> speeds) {
        progress.accept(String.format(
                Locale.ROOT,
                "%s, round %d of %d: %.1f images/s",
                name,
                round,
                ROUNDS,
                speeds.get(speeds.size() - 1).imagesPerSecond()));
    }

    private void endIfStopped() {
        if (stop.isRequested()) {
            throw new StoppedException();
        }
    }
}
