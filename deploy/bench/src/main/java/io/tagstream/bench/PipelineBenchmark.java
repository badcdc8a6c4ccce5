/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.avro.Label;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.local.DataDirectory;
import io.tagstream.local.LocalNode;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.batch.PipelineMetric.Stage;
import io.tagstream.model.onnx.DirectLabelVectors;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Compares the pipeline through embedded Kafka with ONNX Runtime in a bare loop. The two take turns: bare, pipeline,
 * bare, pipeline, so that other load on the machine affects both.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything that is measured.
 */
public final class PipelineBenchmark {
    private static final int ROUNDS = 3;
    /** The length of the warm-up in measurements: enough for Java's compiler to do most of its work. */
    private static final int WARM_UP_ROUNDS = 2;

    /** The time until the pipeline is full. */
    private static final Duration RUN_UP = Duration.ofSeconds(2);

    private static final Duration READY = Duration.ofMinutes(10);
    /** Limited because their pixels are kept in memory: 150 KB each at 224 x 224. */
    private static final int MOST_IMAGES = 256;
    /** How many seconds' worth of images to keep under way, so that the model never waits for Kafka's commits. */
    private static final double WINDOW_SECONDS = 2;

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
                LocalNode node = LocalNode.start(settings, data, 0)) {
            Map<String, Label> labels =
                    BenchLabels.ofSize(options.labels(), node.config().getString(TagstreamConfig.MODEL_BUNDLE));
            new VocabularyTopic(node.config(), node.contracts()).replace(labels);
            progress.accept("encoding %d labels".formatted(labels.size()));
            Tagstream tagstream = node.startTagstream();
            DirectLabelVectors vectors = encode(labels, node.runtime());
            awaitReady(tagstream);

            List<NamedImage> images = new ArrayList<>();
            List<ByteBuffer> pixels = new ArrayList<>();
            decode(found.images(), node.runtime(), images, pixels);
            try (BareLoop bare = new BareLoop(node.runtime(), pixels, vectors);
                    Uploads uploads = new Uploads(
                            images, node.config(), node.contracts(), ProcessUsage::cpuNanos, stop::isRequested)) {
                ScoreCheck check = check(labels, images, bare.scores(), node);
                uploads.check((event, image) -> check.check(image, event));
                return measure(node.metrics(), bare, check, uploads);
            }
        }
    }

    private PipelineResult measure(CompositeMeterRegistry metrics, BareLoop bare, ScoreCheck check, Uploads uploads) {
        List<Speed> raw = new ArrayList<>();
        List<Speed> pipeline = new ArrayList<>();
        bare.run(RUN_UP);
        uploads.saturate(options.round().multipliedBy(WARM_UP_ROUNDS), SMALLEST_WINDOW, () -> {});
        endIfStopped();
        Phase saturation = new Phase(metrics);
        for (int round = 1; round <= ROUNDS; round++) {
            raw.add(bare.run(options.round()));
            endIfStopped();
            report("bare loop", round, raw);
            double speed = Speed.sum(raw).imagesPerSecond();
            int window = Math.max(SMALLEST_WINDOW, Math.min(LARGEST_WINDOW, (int) (speed * WINDOW_SECONDS)));
            pipeline.add(uploads.saturate(options.round(), window, saturation::begin));
            saturation.end();
            endIfStopped();
            report("pipeline", round, pipeline);
        }
        Speed saturated = Speed.sum(pipeline);
        progress.accept("measuring latency at half the pipeline's speed");
        Phase half = new Phase(metrics);
        half.begin();
        long end = System.nanoTime() + options.round().toNanos();
        Uploads.Latencies latencies =
                uploads.atRate(saturated.imagesPerSecond() / 2, () -> System.nanoTime() > end, () -> {});
        half.end();
        endIfStopped();
        if (uploads.takeEvents() > 0) {
            throw OperatorException.failed("some images have more than one outcome");
        }
        List<StageTime> stages = half.stages();
        stages.add(StageTime.of("commit", latencies.commit()));
        return new PipelineResult(
                Speed.sum(raw),
                saturated,
                StageTime.of("total", latencies.total()),
                stages,
                saturation.meanBatchSize(),
                saturation.millis(Stage.FETCH),
                saturation.millis(Stage.DECODE),
                saturation.modelMillis(),
                // an image's mean model time in the saturated rounds, times images per second
                Math.min(1, saturation.modelMillis() * saturated.imagesPerSecond() / 1000),
                ProcessUsage.peakResidentMib(),
                check.checked(),
                check.largestDifference());
    }

    private ScoreCheck check(Map<String, Label> labels, List<NamedImage> images, float[][] scores, LocalNode node) {
        Map<String, Integer> places = new HashMap<>();
        labels.keySet().forEach(id -> places.put(id, places.size()));
        return new ScoreCheck(
                images.stream().map(NamedImage::id).toList(),
                places,
                scores,
                node.config().minScore().orElse(node.runtime().description().defaultThreshold()),
                node.config().topK().orElse(node.runtime().description().topK()));
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

    private void awaitReady(Tagstream tagstream) throws InterruptedException {
        try {
            tagstream.awaitReady(READY);
        } catch (TimeoutException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
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
