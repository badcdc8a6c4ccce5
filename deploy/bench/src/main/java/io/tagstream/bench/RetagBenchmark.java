/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.avro.Label;
import io.tagstream.avro.Tag;
import io.tagstream.bench.RetagResult.Kept;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.inference.ModelRuntimes;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingTopology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;

/**
 * Compares known images that follow one new label with tagging images anew. Also measures how that affects uploads, and
 * what is stored for known images, with a restart without local state.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything that is measured.
 */
public final class RetagBenchmark {
    private static final int ROUNDS = 3;
    private static final Duration READY = Duration.ofMinutes(30);
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    /** After a sweep is over, if nothing is committed for this long, nothing more will be. */
    private static final Duration QUIET = Duration.ofSeconds(1);

    private static final int MOST_PHOTOS = 64;
    /** Images under way. */
    private static final int WINDOW = 128;

    private static final double TOLERANCE = 1e-4;

    private final Options options;
    private final Consumer<String> progress;
    private final StopSignal stop;
    private final List<NamedImage> photos;
    private final BenchCluster cluster;
    private final Map<String, Label> labels;
    private final Uploads uploads;

    /**
     * What to measure.
     *
     * @param photos a folder
     * @param images known images
     * @param labels size of the vocabulary
     * @param load the rate of uploads during sweeps, as a share of the speed of tagging anew
     * @param round length of each measurement
     * @param produced number of labels to time
     * @param settings further settings
     */
    public record Options(
            Path photos,
            int images,
            int labels,
            double load,
            Duration round,
            int produced,
            Map<String, String> settings) {}

    private RetagBenchmark(
            Options options,
            Consumer<String> progress,
            StopSignal stop,
            List<NamedImage> photos,
            BenchCluster cluster,
            Map<String, Label> labels,
            Uploads uploads) {
        this.options = options;
        this.progress = progress;
        this.stop = stop;
        this.photos = photos;
        this.cluster = cluster;
        this.labels = labels;
        this.uploads = uploads;
    }

    /**
     * Measures.
     *
     * @param progress receives a line after each step
     * @return empty if a stop was requested before there was a result
     * @throws OperatorException if the benchmark cannot run, or if images that followed have other tags than tagging
     *     anew gives them
     */
    public static Optional<RetagResult> run(Options options, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        BenchPhotos photos = BenchPhotos.of(options.photos(), MOST_PHOTOS);
        Settings settings = new Settings()
                .environment(System.getenv())
                .with(TagstreamConfig.IMAGE_FEATURES, "all")
                .with(TopicKeys.TOPICS_PARTITIONS, "1")
                .with(InferenceKeys.DECODE_ISOLATION, "none")
                .with(InferenceKeys.DECODE_SANDBOX, "off")
                .flags(options.settings())
                .with(InferenceKeys.FETCH_FILE_ROOTS, photos.roots());
        try (BenchCluster cluster = BenchCluster.start(settings)) {
            TagstreamConfig config = cluster.config(Map.of());
            TopicProvisioner.provision(config);
            cluster.contracts().register(config);
            Map<String, Label> labels =
                    BenchLabels.ofSize(options.labels(), config.getString(TagstreamConfig.MODEL_BUNDLE));
            new VocabularyTopic(config, cluster.contracts()).replace(labels);
            try (Uploads uploads = new Uploads(
                    photos.images(), config, cluster.contracts(), ProcessUsage::cpuNanos, stop::isRequested)) {
                return Optional.of(
                        new RetagBenchmark(options, progress, stop, photos.images(), cluster, labels, uploads)
                                .measure());
            }
        } catch (StoppedException e) {
            return Optional.empty();
        }
    }

    /** Tagstream in this process. */
    private final class Instance implements AutoCloseable {
        private final OnnxModelRuntime runtime;
        private final CompositeMeterRegistry metrics = new CompositeMeterRegistry();
        private final Tagstream tagstream;

        /** @param featureCache number of photos whose features are cached */
        Instance(int featureCache) {
            TagstreamConfig config =
                    cluster.config(Map.of(InferenceKeys.MODEL_FEATURE_CACHE, String.valueOf(featureCache)));
            runtime = ModelRuntimes.open(config, metrics);
            tagstream = new Tagstream(config, runtime, cluster.registry(), metrics);
        }

        /** Starts it, and returns when it tags images and {@code known} images are known. */
        Duration start(long known) throws InterruptedException {
            long began = System.nanoTime();
            tagstream.start();
            try {
                tagstream.awaitReady(READY);
            } catch (TimeoutException e) {
                throw OperatorException.failed(e.getMessage(), e);
            }
            await(
                    "the known images to be restored",
                    () -> tagstream.images().progress().total() >= known);
            return Duration.ofNanos(System.nanoTime() - began);
        }

        @Override
        public void close() {
            tagstream.close();
            runtime.close();
            metrics.close();
        }
    }

    private RetagResult measure() throws InterruptedException {
        Speed first;
        double anewBytes;
        progress.accept("encoding %d labels".formatted(labels.size()));
        try (Instance instance = new Instance(0)) {
            instance.start(0);
            progress.accept("tagging %d photos repeatedly".formatted(photos.size()));
            long before = allBytes();
            first = uploads.saturate(options.round(), WINDOW);
            endIfStopped();
            anewBytes = (allBytes() - before) / (double) uploads.known().size();
            report("new images: %.1f images/s", first.imagesPerSecond());
        }
        if (uploads.known().size() < options.images()) {
            try (Instance instance = new Instance(photos.size())) {
                instance.start(uploads.known().size());
                report("tagging the same photos under other ids, up to %,d known images", options.images());
                uploads.upload(options.images(), WINDOW);
                endIfStopped();
            }
        }
        long images = uploads.known().size();
        long metaStore = storeBytes(TaggingTopology.IMAGE_META_STORE);
        long featuresStore = storeBytes(TaggingTopology.IMAGE_FEATURES_STORE);
        long metaTopic = changelogBytes(TaggingTopology.IMAGE_META_STORE);
        long featuresTopic = changelogBytes(TaggingTopology.IMAGE_FEATURES_STORE);
        deleteState();
        try (Instance instance = new Instance(0)) {
            Duration restored = instance.start(images);
            report("restored %,d images in %.1f s", images, restored.toMillis() / 1000.0);
            try (VocabularyEdits edits = new VocabularyEdits(
                    cluster.config(Map.of()),
                    cluster.contracts(),
                    labels.get(commonest()),
                    () -> instance.tagstream.images().progress())) {
                Sweeps sweeps = sweeps(edits);
                double load = options.load() * first.imagesPerSecond();
                Noticed noticed = notice(edits, load);
                StageTime arrival = arrival(edits, load);
                progress.accept("tagging new images once more");
                Speed last = uploads.saturate(options.round(), WINDOW);
                endIfStopped();
                return new RetagResult(
                        images,
                        photos.size(),
                        labels.size(),
                        Speed.sum(List.of(first, last)),
                        Speed.sum(sweeps.speeds),
                        sweeps.changed,
                        sweeps.checked,
                        load,
                        noticed.quiet,
                        noticed.swept,
                        noticed.share,
                        arrival,
                        options.produced(),
                        new Kept(
                                (double) metaStore / images,
                                (double) featuresStore / images,
                                (double) metaTopic / images,
                                (double) featuresTopic / images,
                                anewBytes,
                                sweeps.bytes / (double) Speed.sum(sweeps.speeds).images(),
                                restored.toMillis() / 1000.0),
                        ProcessUsage.peakResidentMib());
            }
        }
    }

    /** The results of several sweeps. */
    private static final class Sweeps {
        private final List<Speed> speeds = new ArrayList<>();
        private long changed;
        private long checked;
        private long bytes;
    }

    /** Runs sweeps without uploads, and compares each with tagging anew. */
    private Sweeps sweeps(VocabularyEdits edits) throws InterruptedException {
        Sweeps sweeps = new Sweeps();
        for (int round = 1; round <= ROUNDS; round++) {
            Map<String, Set<String>> before = new HashMap<>();
            uploads.known().forEach((id, image) -> before.put(id, image.labels()));
            uploads.takeEvents();
            long bytes = allBytes();
            long cpu = ProcessUsage.cpuNanos();
            long began = System.nanoTime();
            edits.next(null);
            await("images to follow a new label", edits::followed);
            long cpuUsed = ProcessUsage.cpuNanos() - cpu;
            long over = settled(System.nanoTime());
            Speed speed = new Speed(before.size(), over - began, cpuUsed);
            sweeps.speeds.add(speed);
            sweeps.bytes += allBytes() - bytes;
            long events = uploads.takeEvents();
            sweeps.changed += events;
            sweeps.checked += check(before, events);
            report(
                    "retag, round %d of %d: %.1f images/s, %,d of %,d images changed",
                    round, ROUNDS, speed.imagesPerSecond(), events, before.size());
            edits.remove();
            await("images to follow the label's removal", edits::followed);
            settled(System.nanoTime());
        }
        return sweeps;
    }

    /** Reads until nothing more is committed; returns the time of the last event, or {@code over} if that is later. */
    private long settled(long over) {
        long last = over;
        while (System.nanoTime() - last < QUIET.toNanos()) {
            uploads.read();
            last = Math.max(last, uploads.lastEventNanos());
            endIfStopped();
        }
        return last;
    }

    /**
     * Checks that known images have the tags that their photo gets when uploaded now, and that each image whose tags
     * changed had one event.
     */
    private long check(Map<String, Set<String>> before, long events) {
        List<Uploads.Known> anew = uploads.uploadEach(WINDOW);
        endIfStopped();
        long expected = 0;
        for (Map.Entry<String, Set<String>> image : before.entrySet()) {
            Uploads.Known known = uploads.known().get(image.getKey());
            Map<String, Float> wanted = anew.get(known.photo()).scores();
            Map<String, Float> scores = known.scores();
            boolean same = scores.keySet().equals(wanted.keySet())
                    && scores.entrySet().stream()
                            .allMatch(tag -> Math.abs(tag.getValue() - wanted.get(tag.getKey())) <= TOLERANCE);
            if (!same) {
                throw OperatorException.failed(
                        "known images do not have the tags of a new upload: %s, %s, has %s, not %s"
                                .formatted(
                                        image.getKey(),
                                        photos.get(known.photo()).id(),
                                        scores,
                                        wanted));
            }
            expected += wanted.keySet().equals(image.getValue()) ? 0 : 1;
        }
        if (events != expected) {
            throw OperatorException.failed(
                    "the new label changed %,d images' tags, but there were %,d events".formatted(expected, events));
        }
        return before.size();
    }

    /**
     * How long uploads take without and with sweeps, and the share of the latter time during which a sweep was under
     * way.
     */
    private record Noticed(StageTime quiet, StageTime swept, double share) {}

    private Noticed notice(VocabularyEdits edits, double load) throws InterruptedException {
        List<Duration> quiet = new ArrayList<>();
        List<Duration> swept = new ArrayList<>();
        long[] calls = new long[2];
        for (int round = 1; round <= ROUNDS; round++) {
            quiet.addAll(uploads.atRate(load, after(options.round()), () -> {}).total());
            endIfStopped();
            swept.addAll(uploads.atRate(load, after(options.round()), () -> {
                        calls[0]++;
                        if (edits.followed()) {
                            edits.next(null);
                        } else {
                            calls[1]++;
                        }
                    })
                    .total());
            endIfStopped();
            await("images to follow", edits::followed);
            report(
                    "%.1f uploads/s, round %d of %d: p99 %.0f ms, %.0f ms during sweeps",
                    load,
                    round,
                    ROUNDS,
                    StageTime.of("", quiet).p99Millis(),
                    StageTime.of("", swept).p99Millis());
        }
        return new Noticed(
                StageTime.of("uploads", quiet),
                StageTime.of("uploads during sweeps", swept),
                (double) calls[1] / calls[0]);
    }

    private static BooleanSupplier after(Duration duration) {
        long end = System.nanoTime() + duration.toNanos();
        return () -> System.nanoTime() > end;
    }

    /**
     * Measures the time from producing a label to the first event that carries it, repeatedly while images are
     * uploaded.
     */
    private StageTime arrival(VocabularyEdits edits, double load) throws InterruptedException {
        progress.accept("timing %d labels, from producing one to its first event".formatted(options.produced()));
        List<Duration> times = new ArrayList<>();
        Random pauses = new Random(1);
        long[] produced = {0};
        long[] nextAt = {System.nanoTime() + TimeUnit.SECONDS.toNanos(1)};
        uploads.atRate(load, () -> times.size() == options.produced(), () -> {
            long now = System.nanoTime();
            if (produced[0] == 0 && now >= nextAt[0]) {
                produced[0] = now;
                uploads.watch(edits.next(0.0));
            } else if (produced[0] != 0 && uploads.watchedNanos().isPresent()) {
                times.add(Duration.ofNanos(uploads.watchedNanos().getAsLong() - produced[0]));
                produced[0] = 0;
                nextAt[0] = now + TimeUnit.MILLISECONDS.toNanos(300 + pauses.nextInt(700));
            } else if (produced[0] != 0 && now - produced[0] > PATIENCE.toNanos()) {
                throw OperatorException.failed("no event carries the new label");
            }
        });
        endIfStopped();
        edits.remove();
        await("images to follow", edits::followed);
        return StageTime.of("label", times);
    }

    /** The label that the most images have: a label like it changes many images, but not all. */
    private String commonest() {
        return uploads.known().values().stream()
                .flatMap(image -> image.event().getTags().stream())
                .collect(Collectors.groupingBy(Tag::getLabelId, Collectors.counting()))
                .entrySet()
                .stream()
                .max(Map.Entry.<String, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey)
                .orElseThrow(() -> OperatorException.invalid(
                        "none of the photos in %s gets a tag; give other photos".formatted(options.photos())));
    }

    private long allBytes() throws InterruptedException {
        return cluster.topicBytes().values().stream().mapToLong(bytes -> bytes).sum();
    }

    private long changelogBytes(String store) throws InterruptedException {
        return cluster.topicBytes().entrySet().stream()
                .filter(topic -> topic.getKey().endsWith("-" + store + "-changelog"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /** The size of a store on disk, in bytes, while nothing has it open. */
    private long storeBytes(String store) {
        try (Stream<Path> files = Files.walk(cluster.state())) {
            return files.filter(file -> file.getParent().endsWith(store) && Files.isRegularFile(file))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException e) {
            throw OperatorException.failed("the local state cannot be measured: " + e, e);
        }
    }

    private void deleteState() {
        try {
            FileUtils.deleteDirectory(cluster.state().toFile());
        } catch (IOException e) {
            throw OperatorException.failed("the local state cannot be deleted: " + e, e);
        }
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            endIfStopped();
            uploads.read();
            if (System.nanoTime() > deadline) {
                throw OperatorException.failed("waited %d minutes for %s; run with --verbose to see why"
                        .formatted(PATIENCE.toMinutes(), what));
            }
        }
    }

    private void report(String pattern, Object... values) {
        progress.accept(String.format(Locale.ROOT, pattern, values));
    }

    private void endIfStopped() {
        if (stop.isRequested()) {
            throw new StoppedException();
        }
    }
}
