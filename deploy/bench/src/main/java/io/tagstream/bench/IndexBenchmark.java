/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.Cause;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.feed.IndexFeed;
import io.tagstream.feed.IndexMetric;
import io.tagstream.feed.opensearch.OpenSearchTarget;
import io.tagstream.feed.opensearch.SearchServer;
import io.tagstream.local.DataDirectory;
import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Measures how fast tag events get from Kafka into an index, compared with the same documents through the client's bulk
 * ingester alone. The two take turns in one process, which also runs the broker.
 */
public final class IndexBenchmark {
    private static final int LABELS = 400;
    private static final int MOST_TAGS = 6;
    private static final Duration SAMPLE = Duration.ofMillis(1);
    private static final double NANOS_PER_SECOND = 1e9;

    private final SearchServer server;
    private final int documents;
    private final int rounds;
    private final Consumer<String> progress;
    private final StopSignal stop;
    private final String prefix = "tagstream-bench-" + Long.toString(System.currentTimeMillis(), 36);
    private int indices;

    private IndexBenchmark(SearchServer server, int documents, int rounds, Consumer<String> progress, StopSignal stop) {
        this.server = server;
        this.documents = documents;
        this.rounds = rounds;
        this.progress = progress;
        this.stop = stop;
    }

    /**
     * Measures.
     *
     * @param server not closed here; indices are created there and deleted afterwards
     * @param documents number of documents per round
     * @param rounds number of rounds that count
     * @param progress receives a line after each step
     * @return empty if a stop was requested before there was a result
     * @throws OperatorException if the benchmark cannot run, or if either did not write every document
     */
    public static Optional<IndexResult> run(
            SearchServer server, int documents, int rounds, Consumer<String> progress, StopSignal stop)
            throws InterruptedException {
        return new IndexBenchmark(server, documents, rounds, progress, stop).run();
    }

    private Optional<IndexResult> run() throws InterruptedException {
        String version = server.version();
        Map<String, TagEvent> events = events(documents);
        try (DataDirectory data = DataDirectory.open(Optional.empty());
                EmbeddedBroker broker = EmbeddedBroker.start(data.kafka(), 0);
                LocalRegistry registryServer = LocalRegistry.start(broker.bootstrapServers(), 0)) {
            TagstreamConfig config = new Settings()
                    .with(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers())
                    .with(TagstreamConfig.SCHEMA_REGISTRY_URL, registryServer.url())
                    .with(TagstreamConfig.TOPICS_REPLICATION_FACTOR, "1")
                    .config();
            TopicProvisioner.provision(config);
            try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
                Contracts contracts = new Contracts(registry);
                contracts.register(config);
                progress.accept("writing %,d tag events to Kafka".formatted(documents));
                write(events, config, contracts);
                return measure(version, new IngesterAlone(server, events), config, contracts);
            }
        } catch (IOException e) {
            throw OperatorException.failed("the benchmark cannot be set up: " + e.getMessage(), e);
        }
    }

    private Optional<IndexResult> measure(
            String version, IngesterAlone alone, TagstreamConfig config, Contracts contracts)
            throws InterruptedException {
        List<Double> ingester = new ArrayList<>();
        List<Double> feed = new ArrayList<>();
        // the first round warms up both and the server; after that they take turns to go first
        for (int round = 0; round <= rounds && !stop.isRequested(); round++) {
            boolean feedFirst = round % 2 == 1;
            if (feedFirst) {
                feed.add(speed(feed(config, contracts)));
                report("index feed", round, feed);
            }
            ingester.add(speed(alone(alone)));
            report("ingester alone", round, ingester);
            if (!feedFirst) {
                feed.add(speed(feed(config, contracts)));
                report("index feed", round, feed);
            }
        }
        return stop.isRequested()
                ? Optional.empty()
                : Optional.of(new IndexResult(
                        version, documents, ingester.subList(1, ingester.size()), feed.subList(1, feed.size())));
    }

    private double speed(Duration taken) {
        return IndexResult.rounded(documents * NANOS_PER_SECOND / taken.toNanos());
    }

    private void report(String name, int round, List<Double> speeds) {
        progress.accept(String.format(
                Locale.ROOT,
                "%s, %s: %,.0f documents/s",
                name,
                round == 0 ? "warming up" : "round %d of %d".formatted(round, rounds),
                speeds.get(speeds.size() - 1)));
    }

    private Duration alone(IngesterAlone alone) {
        String index = prefix + "-" + indices++;
        try {
            Duration taken = alone.fill(index);
            check(index);
            return taken;
        } finally {
            server.delete(index);
        }
    }

    /** The feed's time from the first record that it reads until the server has accepted the last. */
    private Duration feed(TagstreamConfig config, Contracts contracts) throws InterruptedException {
        String index = prefix + "-" + indices++;
        SimpleMeterRegistry metrics = new SimpleMeterRegistry();
        IndexFeed feed = new IndexFeed(
                config, contracts, new OpenSearchTarget(server), new IndexFeed.Options(index, false, true), metrics);
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        Thread feeding = new Thread(
                () -> {
                    try {
                        feed.run(stop::isRequested);
                    } catch (RuntimeException e) {
                        failure.set(e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "bench-feed");
        try {
            feeding.start();
            Duration taken = watch(metrics, feeding);
            feeding.join();
            if (failure.get() != null) {
                throw failure.get();
            }
            if (!stop.isRequested()) {
                check(index);
            }
            return taken;
        } finally {
            server.delete(index + "-000001");
        }
    }

    private Duration watch(SimpleMeterRegistry metrics, Thread feeding) throws InterruptedException {
        long first = 0;
        while (feeding.isAlive()) {
            double written = metrics.get(IndexMetric.DOCUMENTS.id())
                    .tag("outcome", "written")
                    .counter()
                    .count();
            boolean begun = metrics.get(IndexMetric.LAG.id()).gauge().value() > 0;
            if (first == 0 && begun) {
                first = System.nanoTime();
            }
            if (written >= documents) {
                break;
            }
            Thread.sleep(SAMPLE.toMillis());
        }
        return Duration.ofNanos(Math.max(1, System.nanoTime() - first));
    }

    private void check(String index) {
        long found = server.count(index);
        if (found != documents) {
            throw OperatorException.failed(
                    "index %s has %d documents instead of %d: the feed and the ingester did not do the same work"
                            .formatted(index, found, documents));
        }
    }

    private static void write(Map<String, TagEvent> events, TagstreamConfig config, Contracts contracts) {
        String topic = config.topic(TagstreamConfig.TAGS_TOPIC);
        try (KafkaProducer<String, TagEvent> producer = new KafkaProducer<>(
                config.kafkaSettings(),
                new StringSerializer(),
                contracts.tagEvent().serializer())) {
            events.forEach((id, event) -> {
                var unused = producer.send(new ProducerRecord<>(topic, id, event));
            });
            producer.flush();
        }
    }

    /** Events like those of real photos: up to six tags from 400 labels, two attributes. */
    private static Map<String, TagEvent> events(int number) {
        SplittableRandom random = new SplittableRandom(1);
        Map<String, TagEvent> events = new LinkedHashMap<>();
        for (int i = 0; i < number; i++) {
            List<Tag> tags = new ArrayList<>();
            int most = random.nextInt(MOST_TAGS + 1);
            for (int tag = 0; tag < most; tag++) {
                int label = random.nextInt(LABELS);
                tags.add(new Tag("label-" + label, "label " + label, (float) random.nextDouble(0.5, 1), 0.5f));
            }
            events.put(
                    "image-" + i,
                    new TagEvent(
                            "https://example.org/photos/%d.jpg".formatted(i),
                            "%064x".formatted(i),
                            1600,
                            1200,
                            tags,
                            Map.of("album", "album " + i % 100, "camera", "camera " + i % 7),
                            new Model("everyday", "1 cpu float32"),
                            400L,
                            Cause.NEW_IMAGE,
                            Instant.EPOCH.plusSeconds(i)));
        }
        return events;
    }
}
