/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.Label;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Measures what the size of the vocabulary costs: one instance per size, each in its own process, all on one Kafka in
 * this process. They are measured in turn, so that other load on the machine affects all of them.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything that is measured.
 */
public final class VocabularyBenchmark {
    private static final int ROUNDS = 3;
    private static final int MOST_PHOTOS = 256;
    /** Images under way. */
    private static final int WINDOW = 64;

    private static final double NANOS_PER_SECOND = 1e9;

    private final Options options;
    private final Consumer<String> progress;
    private final StopSignal stop;
    private final List<NamedImage> photos;
    private final BenchCluster cluster;

    /**
     * What to measure.
     *
     * @param photos a folder
     * @param labels sizes of vocabularies
     * @param vocabulary a file with label names, instead of the model's own labels
     * @param round length of each measurement
     * @param heapMib an instance's maximum heap, in MiB
     * @param settings further settings
     */
    public record Options(
            Path photos,
            List<Integer> labels,
            Optional<Path> vocabulary,
            Duration round,
            int heapMib,
            Map<String, String> settings) {}

    private VocabularyBenchmark(
            Options options,
            Consumer<String> progress,
            StopSignal stop,
            List<NamedImage> photos,
            BenchCluster cluster) {
        this.options = options;
        this.progress = progress;
        this.stop = stop;
        this.photos = photos;
        this.cluster = cluster;
    }

    /**
     * Measures.
     *
     * @param progress receives a line after each step
     * @return a result for every size, in order; empty if a stop was requested before there were any
     */
    public static List<VocabularyResult> run(Options options, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        BenchPhotos photos = BenchPhotos.of(options.photos(), MOST_PHOTOS);
        Settings settings = new Settings()
                .environment(System.getenv())
                .with(TopicKeys.TOPICS_PARTITIONS, "1")
                .with(InferenceKeys.DECODE_ISOLATION, "none")
                .with(InferenceKeys.DECODE_SANDBOX, "off")
                .flags(options.settings())
                .with(InferenceKeys.MODEL_FEATURE_CACHE, "0") // the same photos are used repeatedly
                .with(TagstreamConfig.SWEEP_READS_MAX, "0") // no sweep reads images of the previous run
                .with(TagstreamConfig.HTTP_PORT, "0")
                .with(InferenceKeys.FETCH_FILE_ROOTS, photos.roots());
        try (BenchCluster cluster = BenchCluster.start(settings)) {
            return new VocabularyBenchmark(options, progress, stop, photos.images(), cluster).measure();
        }
    }

    /** An instance with a vocabulary of one size, and its measurements. */
    private final class Size implements AutoCloseable {
        private final int labels;
        private final TagstreamConfig config;
        private final Uploads uploads;
        private final List<Speed> speeds = new ArrayList<>();
        private InstanceProcess instance;
        private double encodingSeconds;
        private double startSeconds;
        private double startCpuSeconds;
        private long readyMib;
        private long common;
        private long all;

        Size(int labels) {
            this.labels = labels;
            Map<String, String> own = new HashMap<>();
            TagstreamConfig.definition().names().stream()
                    .filter(key -> key.endsWith(".topic"))
                    .forEach(key -> own.put(key, cluster.config(Map.of()).topic(key) + "-" + labels));
            own.put(TagstreamConfig.APPLICATION_ID, "bench-" + labels);
            own.put(
                    TagstreamConfig.STATE_DIR,
                    cluster.state().resolve(String.valueOf(labels)).toString());
            this.config = cluster.config(own);
            TopicProvisioner.provision(config);
            cluster.contracts().register(config);
            new VocabularyTopic(config, cluster.contracts()).replace(vocabulary());
            this.uploads =
                    new Uploads(photos, config, cluster.contracts(), () -> instance.cpuNanos(), stop::isRequested);
        }

        private Map<String, Label> vocabulary() {
            return options.vocabulary()
                    .map(file -> BenchLabels.ofSize(labels, file))
                    .orElseGet(() -> BenchLabels.ofSize(labels, config.getString(TagstreamConfig.MODEL_BUNDLE)));
        }

        /** Starts twice: first to encode the labels and decode all of them, then as configured. */
        void start() throws InterruptedException {
            report("%,d labels: encoding", labels);
            encodingSeconds = start(Map.of(
                    TagstreamConfig.VOCABULARY_SELECTION, "all",
                    TagstreamConfig.IMAGE_FEATURES, "none"));
            report("%,d labels: encoded and started in %.1f s", labels, encodingSeconds);
            List<Uploads.Known> full = uploads.uploadEach(WINDOW);
            instance.close();
            startSeconds = start(Map.of());
            startCpuSeconds = instance.cpuNanos() / NANOS_PER_SECOND;
            readyMib = ProcessUsage.peakResidentMib(instance.pid()).orElse(0);
            report("%,d labels: started from stored vectors in %.1f s", labels, startSeconds);
            List<Uploads.Known> selected = uploads.uploadEach(WINDOW);
            for (int photo = 0; photo < photos.size() && !stop.isRequested(); photo++) {
                Set<String> union = new HashSet<>(full.get(photo).labels());
                union.addAll(selected.get(photo).labels());
                all += union.size();
                union.retainAll(full.get(photo).labels());
                union.retainAll(selected.get(photo).labels());
                common += union.size();
            }
        }

        private double start(Map<String, String> settings) {
            Map<String, Object> values = new HashMap<>(config.originals());
            values.putAll(settings);
            long began = System.nanoTime();
            instance = InstanceProcess.start(new TagstreamConfig(values), 1, options.heapMib());
            instance.awaitReady();
            return (System.nanoTime() - began) / NANOS_PER_SECOND;
        }

        void warmUp() {
            uploads.saturate(options.round(), WINDOW);
        }

        void measure(int round) {
            speeds.add(uploads.saturate(options.round(), WINDOW));
            report(
                    "%,d labels, round %d of %d: %.1f images/s",
                    labels, round, ROUNDS, speeds.get(speeds.size() - 1).imagesPerSecond());
        }

        VocabularyResult result() {
            return new VocabularyResult(
                    labels,
                    config.selection(labels).toString(),
                    Speed.sum(speeds),
                    photos.size(),
                    all,
                    common,
                    encodingSeconds,
                    startSeconds,
                    startCpuSeconds,
                    readyMib,
                    ProcessUsage.peakResidentMib(instance.pid()).orElse(0));
        }

        @Override
        public void close() throws InterruptedException {
            uploads.close();
            if (instance != null) {
                instance.close();
            }
        }
    }

    private List<VocabularyResult> measure() throws InterruptedException {
        List<Size> sizes = new ArrayList<>();
        try {
            for (int labels : options.labels()) {
                if (stop.isRequested()) {
                    return List.of();
                }
                sizes.add(new Size(labels));
                sizes.get(sizes.size() - 1).start();
            }
            sizes.forEach(Size::warmUp);
            for (int round = 1; round <= ROUNDS && !stop.isRequested(); round++) {
                for (Size size : sizes) {
                    size.measure(round);
                }
            }
            return stop.isRequested()
                    ? List.of()
                    : sizes.stream().map(Size::result).toList();
        } finally {
            for (Size size : sizes) {
                size.close();
            }
        }
    }

    private void report(String pattern, Object... values) {
        progress.accept(String.format(Locale.ROOT, pattern, values));
    }
}
