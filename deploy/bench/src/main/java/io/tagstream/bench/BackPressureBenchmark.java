/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.ImageReference;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.cluster.outcomes.OutcomeReader;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Measures what references that wait for a slow model cost. For each number of references, it starts a new broker in
 * this process and a new instance in another process, so that the instance's heap and direct memory are its own. All
 * partitions but one get the waiting references. The remaining one gets an image now and then, and the outcomes of
 * those images show that work continues.
 *
 * <p><i>Threading notes.</i> The caller's thread drives everything.
 */
public final class BackPressureBenchmark {
    private static final int PARTITIONS = 4;
    private static final int QUIET_PARTITION = PARTITIONS - 1;
    private static final int OTHERS = 20;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration TURN = Duration.ofMillis(100);
    private static final double BYTES_PER_MIB = 1 << 20;

    private final Options options;
    private final Consumer<String> progress;
    private final StopSignal stop;
    private final List<NamedImage> images;
    private final Settings settings;

    /**
     * What to measure.
     *
     * @param images a folder
     * @param waiting the numbers of waiting references
     * @param seconds how long to measure each number, in seconds
     * @param slowdown how many times longer the model takes
     * @param heapMib the instance's maximum heap, in MiB
     * @param labels size of the vocabulary
     * @param settings further settings
     */
    public record Options(
            Path images,
            List<Integer> waiting,
            int seconds,
            int slowdown,
            int heapMib,
            int labels,
            Map<String, String> settings) {}

    private BackPressureBenchmark(Options options, Consumer<String> progress, StopSignal stop) {
        this.options = options;
        this.progress = progress;
        this.stop = stop;
        BenchPhotos photos = BenchPhotos.of(options.images(), Integer.MAX_VALUE);
        this.images = photos.images();
        this.settings = new Settings()
                .environment(System.getenv())
                .with(InferenceKeys.MODEL_FEATURE_CACHE, "0") // the same photos are used repeatedly
                .flags(options.settings())
                .with(InferenceKeys.FETCH_FILE_ROOTS, photos.roots())
                .with(TopicKeys.TOPICS_PARTITIONS, String.valueOf(PARTITIONS))
                .with(TagstreamConfig.HTTP_PORT, "0");
    }

    /**
     * Measures.
     *
     * @param progress receives a line after each step
     * @return a result for every number, or for those measured before a stop request
     */
    public static List<BackPressureResult> run(Options options, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        BackPressureBenchmark benchmark = new BackPressureBenchmark(options, progress, stop);
        List<BackPressureResult> results = new ArrayList<>();
        for (int waiting : options.waiting()) {
            if (!stop.isRequested()) {
                results.add(benchmark.measure(waiting));
            }
        }
        return results;
    }

    private BackPressureResult measure(int waiting) throws InterruptedException {
        try (BenchCluster cluster = BenchCluster.start(settings)) {
            TagstreamConfig config = cluster.config(Map.of());
            TopicProvisioner.provision(config);
            cluster.contracts().register(config);
            new VocabularyTopic(config, cluster.contracts())
                    .replace(BenchLabels.ofSize(options.labels(), config.getString(TagstreamConfig.MODEL_BUNDLE)));
            return measure(waiting, config, cluster.contracts());
        }
    }

    private BackPressureResult measure(int waiting, TagstreamConfig config, Contracts contracts)
            throws InterruptedException {
        try (InstanceProcess instance = InstanceProcess.start(config, options.slowdown(), options.heapMib());
                OutcomeReader reader = new OutcomeReader(config, contracts);
                Admin admin = Admin.create(config.kafkaSettings());
                KafkaProducer<String, ImageReference> producer = new KafkaProducer<>(
                        config.kafkaSettings(),
                        new StringSerializer(),
                        contracts.imageReference().serializer())) {
            reader.readCurrentTags();
            instance.awaitReady();
            Set<String> before = members(admin, config);
            progress.accept("submitting %,d references".formatted(waiting));
            for (int i = 0; i < waiting; i++) {
                submit(producer, config, id("waiting-" + i, false), i);
            }
            producer.flush();
            Peaks peaks = new Peaks(HttpClient.newHttpClient(), instance.port());
            peaks.take();
            Map<String, Long> due = new HashMap<>();
            List<Duration> others = new ArrayList<>();
            long outcomes = 0;
            long began = System.nanoTime();
            int sent = 0;
            while (!done(began, others.size())) {
                long elapsed = System.nanoTime() - began;
                if (sent < OTHERS && elapsed >= sent * TimeUnit.SECONDS.toNanos(options.seconds()) / OTHERS) {
                    String id = id("other-" + sent, true);
                    due.put(id, System.nanoTime());
                    submit(producer, config, id, sent++);
                }
                for (ImageOutcome outcome : reader.poll(TURN, progress)) {
                    Long submitted = due.remove(outcome.imageId());
                    if (submitted == null) {
                        outcomes++;
                    } else {
                        others.add(Duration.ofNanos(System.nanoTime() - submitted));
                    }
                }
                peaks.take();
            }
            OptionalDouble resident = ProcessUsage.peakResidentMib(instance.pid()).stream()
                    .mapToDouble(mib -> mib)
                    .findFirst();
            return new BackPressureResult(
                    waiting,
                    peaks.heap / BYTES_PER_MIB,
                    instance.liveHeap() / BYTES_PER_MIB,
                    peaks.direct / BYTES_PER_MIB,
                    resident,
                    (long) peaks.pending,
                    outcomes,
                    StageTime.of("others", others),
                    others.size(),
                    before.equals(members(admin, config)),
                    peaks.last.sum("kafka_consumer_coordinator_rebalance_total", config.applicationId()),
                    peaks.last.sum("kafka_producer_txn_abort_time_ns_total", ""));
        }
    }

    private boolean done(long began, int others) {
        Duration left = Duration.ofSeconds(options.seconds()).minusNanos(System.nanoTime() - began);
        boolean over =
                left.isNegative() && (others == OTHERS || left.plus(PATIENCE).isNegative());
        return over || stop.isRequested();
    }

    /** The highest values seen. */
    private static final class Peaks {
        private final HttpClient client;
        private final int port;
        private Scrape last;
        private double heap;
        private double direct;
        private double pending;

        Peaks(HttpClient client, int port) {
            this.client = client;
            this.port = port;
        }

        void take() throws InterruptedException {
            last = Scrape.of(client, port);
            heap = Math.max(heap, value("jvm_memory_used_bytes", "area=\"heap\""));
            direct = Math.max(direct, value("jvm_buffer_memory_used_bytes", "id=\"direct\""));
            pending = Math.max(pending, value("tagstream_tagging_pending_images", ""));
        }

        private double value(String metric, String label) {
            return last.sum(metric, label).orElse(0);
        }
    }

    private static Set<String> members(Admin admin, TagstreamConfig config) throws InterruptedException {
        try {
            return admin
                    .describeConsumerGroups(List.of(config.applicationId()))
                    .describedGroups()
                    .get(config.applicationId())
                    .get()
                    .members()
                    .stream()
                    .map(MemberDescription::consumerId)
                    .collect(Collectors.toSet());
        } catch (ExecutionException e) {
            throw OperatorException.failed("the broker cannot describe the consumer group: " + e.getCause(), e);
        }
    }

    /** An id that begins with {@code name}, in the quiet partition or in any other. */
    private static String id(String name, boolean quiet) {
        String id = name;
        for (int i = 0; (partition(id) == QUIET_PARTITION) != quiet; i++) {
            id = name + "-" + i;
        }
        return id;
    }

    private static int partition(String id) {
        return Utils.toPositive(Utils.murmur2(id.getBytes(StandardCharsets.UTF_8))) % PARTITIONS;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // an unwritten reference shows as a missing outcome
    private void submit(KafkaProducer<String, ImageReference> producer, TagstreamConfig config, String id, int number) {
        ImageReference reference = ImageReference.newBuilder()
                .setUri(images.get(number % images.size()).uri().toString())
                .build();
        producer.send(new ProducerRecord<>(config.topic(TagstreamConfig.IMAGES_TOPIC), id, reference));
    }
}
