/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.local.DataDirectory;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Measures everything but the model: {@code tagstream run} with a {@link CeilingBundle}. Each setting has a broker and an
 * instance of its own, each in its own process; images come from one place after the other.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything that is measured.
 */
final class CeilingBenchmark {
    private static final double NANOS_PER_MILLI = 1e6;
    /** Keeps every stage busy, and does not take minutes to drain if they are slow. */
    private static final int WINDOW = 512;

    private static final int MOST_IMAGES = 256;

    /** The length of the warm-up in measurements: enough for Java's compiler to do most of its work. */
    private static final int WARM_UP_ROUNDS = 2;

    private final Options options;
    private final Consumer<String> progress;
    private final StopSignal stop;
    private final List<CeilingResult> results = new ArrayList<>();

    /**
     * What to measure: every combination.
     *
     * @param images a folder of photos, for files and HTTP
     * @param tokens how the graphs give and take tokens
     * @param features values of {@code image.features}
     * @param threads numbers of stream threads
     * @param labels size of the vocabulary
     * @param round length of each measurement
     * @param settings further settings
     */
    record Options(
            Path images,
            List<CeilingShape> shapes,
            List<TokenType> tokens,
            List<String> features,
            List<Integer> threads,
            List<CeilingImages.Place> places,
            int labels,
            Duration round,
            Map<String, String> settings) {}

    private CeilingBenchmark(Options options, Consumer<String> progress, StopSignal stop) {
        this.options = options;
        this.progress = progress;
        this.stop = stop;
    }

    /**
     * Measures.
     *
     * @param progress receives a line after each step
     * @return the results until a stop was requested
     * @throws OperatorException if the benchmark cannot run
     */
    static List<CeilingResult> run(Options options, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        CeilingBenchmark benchmark = new CeilingBenchmark(options, progress, stop);
        try {
            benchmark.run();
        } catch (StoppedException e) {
            progress.accept("stopped; these are the results until then");
        }
        return benchmark.results;
    }

    private void run() throws InterruptedException {
        BenchPhotos photos = BenchPhotos.of(options.images(), MOST_IMAGES);
        try (CeilingImages images = new CeilingImages(photos.images())) {
            for (CeilingShape shape : options.shapes()) {
                for (TokenType tokens : options.tokens()) {
                    for (String features : options.features()) {
                        for (int threads : options.threads()) {
                            measure(new CeilingSetting(shape, tokens, features, threads), photos, images);
                        }
                    }
                }
            }
        }
    }

    private void measure(CeilingSetting setting, BenchPhotos photos, CeilingImages images) throws InterruptedException {
        try (DataDirectory data = DataDirectory.open(Optional.empty());
                BrokerProcess broker = BrokerProcess.start(data.kafka())) {
            Path bundle = CeilingBundle.write(
                    setting.shape(), setting.tokens(), data.kafka().resolve("bundle"));
            TagstreamConfig config = new Settings()
                    .environment(System.getenv())
                    .with(InferenceKeys.MODEL_FEATURE_CACHE, 0) // the same photos are used repeatedly
                    .with(InferenceKeys.MODEL_THREADS, 1) // there is nothing to divide
                    .flags(options.settings())
                    .with(TagstreamConfig.MODEL_BUNDLE, bundle.toString())
                    .with(TagstreamConfig.IMAGE_FEATURES, setting.features())
                    .with(TagstreamConfig.STREAM_THREADS, setting.threads())
                    .with(InferenceKeys.FETCH_FILE_ROOTS, photos.roots())
                    .with(InferenceKeys.FETCH_ALLOW_PRIVATE, true)
                    .with(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers())
                    .with(TagstreamConfig.SCHEMA_REGISTRY_URL, broker.registryUrl())
                    .with(TagstreamConfig.STATE_DIR, data.state().toString())
                    .with(TagstreamConfig.TOPICS_REPLICATION_FACTOR, "1")
                    .config();
            TopicProvisioner.provision(config);
            try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
                Contracts contracts = new Contracts(registry);
                contracts.register(config);
                new VocabularyTopic(config, contracts).replace(BenchLabels.ofSize(options.labels(), bundle.toString()));
                try (ShippedInstance instance = ShippedInstance.start(config, data.kafka())) {
                    instance.awaitReady(stop::isRequested);
                    endIfStopped();
                    measure(setting, config, contracts, images, new Measured(broker, instance, Bundle.load(bundle)));
                }
            }
        }
    }

    private record Measured(BrokerProcess broker, ShippedInstance instance, Bundle bundle) {}

    private void measure(
            CeilingSetting setting,
            TagstreamConfig config,
            Contracts contracts,
            CeilingImages images,
            Measured measured)
            throws InterruptedException {
        try (Uploads uploads = new Uploads(
                images.of(options.places().get(0)),
                config,
                contracts,
                () -> measured.instance().cpuNanos(),
                stop::isRequested)) {
            for (CeilingImages.Place place : options.places()) {
                uploads.use(images.of(place));
                progress.accept("%s, from %s".formatted(setting, place));
                uploads.saturate(options.round().multipliedBy(WARM_UP_ROUNDS), WINDOW, () -> {});
                endIfStopped();
                results.add(measure(setting, place, uploads, measured));
                endIfStopped();
            }
        }
    }

    private CeilingResult measure(CeilingSetting setting, CeilingImages.Place place, Uploads uploads, Measured measured)
            throws InterruptedException {
        ScrapedPhase phase = new ScrapedPhase(measured.instance()::scrape);
        Moment[] moments = new Moment[1];
        uploads.saturate(options.round(), WINDOW, () -> {
            phase.begin();
            moments[0] = moment(measured);
        });
        endIfStopped();
        Moment last = moment(measured);
        phase.end();
        Moment first = moments[0];
        long images = phase.images();
        double perImage = NANOS_PER_MILLI * Math.max(1, images);
        ThreadTimes threads = last.threads().since(first.threads());
        Map<CeilingStage, Double> millis = new EnumMap<>(CeilingStage.class);
        threads.nanosByName()
                .forEach((name, nanos) -> millis.merge(CeilingStage.of(name), nanos / perImage, Double::sum));
        long known = threads.nanosByName().values().stream()
                .mapToLong(Long::longValue)
                .sum();
        millis.merge(CeilingStage.OTHERS, Math.max(0, last.java() - first.java() - known) / perImage, Double::sum);
        millis.merge(
                CeilingStage.DECODERS,
                (last.all() - last.java() - (first.all() - first.java())) / perImage,
                Double::sum);
        Map.Entry<String, Long> busiest = threads.nanosByName().entrySet().stream()
                .filter(thread -> CeilingStage.of(thread.getKey()).isForImages())
                .max(Map.Entry.comparingByValue())
                .orElseThrow();
        return new CeilingResult(
                setting,
                place,
                new Speed(images, last.nanos() - first.nanos(), last.all() - first.all()),
                (last.broker() - first.broker()) / perImage,
                GraphsAlone.millis(measured.bundle(), options.labels()),
                measured.bundle().description().featureBytes(),
                phase.meanBatchSize(),
                millis,
                // without the application's and the process's id
                busiest.getKey().replaceFirst("^.*-(?=StreamThread-)", ""),
                busiest.getValue() / perImage);
    }

    /**
     * Processor time so far.
     *
     * @param java the instance's without its decoders
     * @param all the instance's with its decoders
     */
    private record Moment(long nanos, ThreadTimes threads, long java, long all, long broker) {}

    private static Moment moment(Measured measured) {
        return new Moment(
                System.nanoTime(),
                measured.instance().threadTimes(),
                measured.instance().javaCpuNanos(),
                measured.instance().cpuNanos(),
                measured.broker().cpuNanos());
    }

    private void endIfStopped() {
        if (stop.isRequested()) {
            throw new StoppedException();
        }
    }
}
