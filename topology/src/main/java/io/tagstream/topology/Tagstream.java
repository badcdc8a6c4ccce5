/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.model.DeviceState;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.UnknownStateException;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.clients.ClusterTopicReader;
import io.tagstream.topology.clients.DecisiveClients;
import io.tagstream.topology.clients.FailedThreads;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.clients.LeavingClients;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.clients.WatchedClients;
import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.BundleGate;
import io.tagstream.topology.control.ControlFollower;
import io.tagstream.topology.control.ControlSeed;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.control.Instances;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.state.LocalState;
import io.tagstream.topology.state.UnusableStateException;
import io.tagstream.topology.tagging.LocalImageQueries;
import io.tagstream.topology.tagging.TaggingContext;
import io.tagstream.topology.tagging.TaggingMetric;
import io.tagstream.topology.tagging.TaggingTopology;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.waits.Copies;
import io.tagstream.topology.waits.Progress;
import io.tagstream.topology.waits.Restores;
import io.tagstream.topology.waits.TaggingHealth;
import io.tagstream.topology.waits.TaggingWatch;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import io.tagstream.topology.waits.Waits;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsMetadata;
import org.apache.kafka.streams.ThreadMetadata;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.apache.kafka.streams.state.HostInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of Tagstream: the label encoder and the tagging topology, running against a cluster whose topics exist.
 *
 * <p><i>Threading notes.</i> {@link #start} and {@link #close} are called once each, by one thread; any thread may call
 * everything else. The caller closes the model runtime and the registry, after this.
 */
public final class Tagstream implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Tagstream.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

    /** The most threads to replace within the window. If more die, something is broken. */
    private static final int MOST_REPLACEMENTS = 10;

    private static final Duration REPLACEMENT_WINDOW = Duration.ofMinutes(5);

    /** The pause before the first replacement; it doubles with each further replacement in the window. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    /** Small enough for one record of a topic with default settings. */
    private static final int LARGEST_FEATURES = 900_000;

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    /** The state that Kafka Streams reports for a thread until it runs for the first time. */
    private static final String NEW_THREAD = "CREATED";

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Vocabulary vocabulary;
    private final TaggingContext shared;
    private final LocalState state;
    private final BundleRelease bundle;
    private final ControlFollower control;
    private final BundleGate gate;
    private final Waits waits = new Waits();

    /** Whether {@link #start} has returned. */
    private volatile boolean started;

    private final String labelsApplicationId;
    private final KafkaStreams labelEncoder;
    private final KafkaClientSupplier taggingClients;
    private final Restores restores = new Restores();
    private final Copies copies = new Copies(restores);

    /** Where others can query this instance. */
    private final Optional<HostInfo> address;

    private final LocalImageQueries images;
    private final MeterRegistry metrics;
    private final KafkaStreamsMetrics encoderMetrics;
    private final TopicKeeper topics;
    private final TaggingWatch watch;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    private final FailedThreads failedThreads = new FailedThreads();
    private final Progress progress = new Progress();

    /** Held while the tagging topology is replaced or closed. */
    private final Object replacing = new Object();

    /** Written under {@link #replacing}. */
    private volatile Tagging tagging;

    /** The tagging topology as it runs now. */
    private record Tagging(KafkaStreams streams, KafkaStreamsMetrics metrics) {}

    /** When threads were replaced. Guarded by itself. */
    private final Deque<Instant> replacements = new ArrayDeque<>();

    /** An instance that measures nothing. */
    public Tagstream(TagstreamConfig config, ModelRuntime runtime, SchemaRegistry registry) {
        this(config, runtime, registry, new CompositeMeterRegistry());
    }

    /**
     * An instance that is measured.
     *
     * @param metrics receives Tagstream's metrics and Kafka Streams' own; the caller closes it, after this
     * @throws UnusableStateException if the state directory cannot be written or is in use
     */
    public Tagstream(TagstreamConfig config, ModelRuntime runtime, SchemaRegistry registry, MeterRegistry metrics) {
        this(config, runtime, registry, metrics, new DefaultKafkaClientSupplier());
    }

    /** Takes the tagging topology's Kafka clients from {@code taggingClients}: tests pass failing ones. */
    Tagstream(
            TagstreamConfig config,
            ModelRuntime runtime,
            SchemaRegistry registry,
            MeterRegistry metrics,
            KafkaClientSupplier taggingClients) {
        this.config = config;
        this.metrics = metrics;
        this.contracts = new Contracts(registry);
        this.vocabulary = new Vocabulary(
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                runtime.description(),
                contracts.labelEmbedding().deserializer(),
                config::selection);
        requireRoomForFeatures(config, runtime.description());
        this.state = new LocalState(config, metrics);
        state.requireWritable();
        this.bundle = Controls.release(runtime.description());
        this.control = new ControlFollower(config, contracts);
        this.labelsApplicationId = LabelEncoderTopology.applicationId(
                config.applicationId(), runtime.description().textFingerprint());
        Pace encoderPace = new Pace(config.taskForward());
        this.labelEncoder = streams(
                LabelEncoderTopology.build(config, contracts, runtime, control::inForce, waits, encoderPace),
                labelsApplicationId,
                Optional.of(Instances.clientId(encodersClientId(), bundle)),
                1,
                clients -> clients,
                encoderPace.over(new DefaultKafkaClientSupplier()));
        Inflow inflow = new Inflow();
        this.shared = new TaggingContext(config, contracts, vocabulary, runtime, metrics, inflow, waits, progress);
        this.taggingClients = shared.pace().over(inflow.over(taggingClients));
        this.tagging = newTagging();
        this.watch = new TaggingWatch(
                config.topic(TagstreamConfig.IMAGES_TOPIC),
                TaggingTopology.taggingInput(config, config.applicationId()),
                config.taggingAfter(),
                progress,
                restores,
                waits,
                new Watched(inflow, runtime));
        this.address = StreamsSettings.address(config);
        this.images = new LocalImageQueries(() -> tagging.streams(), address, shared);
        this.encoderMetrics = new KafkaStreamsMetrics(labelEncoder);
        encoderMetrics.bindTo(metrics);
        TaggingMetric.COPIES.gauge(metrics, copies, all -> all.complete().size(), "complete");
        TaggingMetric.COPIES.gauge(metrics, copies, all -> all.behind().size(), "behind");
        TaggingMetric.COPIES_LAG.gauge(metrics, copies, Copies::lag);
        TaggingMetric.UNCOPIED.gauge(
                metrics, this, instance -> instance.uncopied().size());
        this.gate = new BundleGate(bundle, control::inForce, waits, new StreamThreads());
        Map<String, String> losses = TopicLosses.of(config, labelsApplicationId);
        Set<String> creatable = new HashSet<>(losses.keySet());
        if (!config.getBoolean(TagstreamConfig.TOPICS_CREATE)) {
            creatable.removeAll(config.topics());
        }
        this.topics = new TopicKeeper(
                config.kafkaSettings(),
                losses,
                creatable,
                shared.identities(),
                config.topicsCheck(),
                metrics,
                this::replaced);
    }

    private String encodersClientId() {
        return Objects.requireNonNullElseGet(
                        config.kafkaSettings().get(StreamsConfig.CLIENT_ID_CONFIG),
                        () -> labelsApplicationId + "-" + UUID.randomUUID())
                .toString();
    }

    /** An image's features must fit into one record of a changelog topic, or must not be kept. */
    private static void requireRoomForFeatures(TagstreamConfig config, ModelDescription model) {
        boolean kept = !config.getString(TagstreamConfig.IMAGE_FEATURES).equalsIgnoreCase("none");
        if (kept && model.featureBytes() > LARGEST_FEATURES) {
            throw new ConfigException(
                    TagstreamConfig.IMAGE_FEATURES,
                    config.getString(TagstreamConfig.IMAGE_FEATURES),
                    "an image's features take %d bytes with model %s %s, but at most %d can be kept; set it to none"
                            .formatted(model.featureBytes(), model.id(), model.version(), LARGEST_FEATURES));
        }
    }

    /**
     * Registers the contracts, notes how far the vocabulary must be encoded, and starts both topologies; the tagging
     * topology only if this instance's bundle is in force, else when it is. Returns when the vocabulary's topic has been
     * read; {@link #awaitReady} waits until images are being tagged.
     *
     * @throws UnusableStateException if the stores in the state directory cannot be opened and are not just damaged
     */
    public void start() {
        start(false);
    }

    /**
     * The same, but this instance's bundle and the policy of its configuration are put in force, whatever was before:
     * for applications with one instance.
     */
    public void startAlone() {
        start(true);
    }

    private void start(boolean alone) {
        state.putDamagedAside(labelsApplicationId);
        state.putDamagedAside(config.applicationId());
        contracts.register(config);
        TopicReader.Contents labels;
        ClusterControl inForce;
        try (TopicReader reader = new ClusterTopicReader(config, config.applicationId() + "-vocabulary-end")) {
            labels = reader.read(config.topic(TagstreamConfig.LABELS_TOPIC));
            ControlTopic topic = new ControlTopic(config, contracts);
            inForce = new ControlSeed(config, contracts, topic, reader).ensure(bundle, labelsApplicationId);
            if (alone && own(inForce).isPresent()) {
                inForce = topic.change(before -> before.flatMap(this::own));
            }
        }
        Controls.ignored(config, inForce.getPolicy()).ifPresent(log::warn);
        log.info("Images wait for the vocabulary to be encoded up to offset {}", labels.newestOffset());
        vocabulary.require(labels.topicId(), labels.newestOffset(), inForce.getRevision());
        control.start(inForce);
        watch.start(config.kafkaSettings(), config.applicationId());
        topics.start();
        start(labelEncoder, labelsApplicationId);
        gate.start();
        started = true;
    }

    private void start(KafkaStreams streams, String applicationId) {
        try {
            streams.start();
        } catch (ProcessorStateException e) {
            throw state.explained(applicationId, e);
        }
    }

    private Optional<ClusterControl> own(ClusterControl before) {
        return Controls.next(before, bundle, Controls.policy(config), Instant.now());
    }

    /** The tagging topology's threads: without them, this instance has no partitions. */
    private final class StreamThreads implements BundleGate.Partitions {
        @Override
        public void take(long revision) {
            synchronized (replacing) {
                if (!failure.isDone()) {
                    take(tagging.streams(), revision);
                }
            }
        }

        private void take(KafkaStreams streams, long revision) {
            if (streams.state() == KafkaStreams.State.CREATED) {
                vocabulary.require(revision);
                startTagging(streams);
            } else if (streams.metadataForLocalThreads().isEmpty()) {
                vocabulary.require(revision);
                for (int thread = 0; thread < config.getInt(TagstreamConfig.STREAM_THREADS); thread++) {
                    if (streams.addStreamThread().isEmpty()) {
                        return; // on its way to another state
                    }
                }
            }
        }

        private void startTagging(KafkaStreams streams) {
            try {
                Tagstream.this.start(streams, config.applicationId());
            } catch (UnusableStateException e) {
                if (!started) {
                    throw e;
                }
                stopForGood(new KafkaException(e.getMessage(), e));
            }
        }

        @Override
        public void giveBack() {
            synchronized (replacing) {
                KafkaStreams streams = tagging.streams();
                if (streams.state() == KafkaStreams.State.CREATED) {
                    return;
                }
                while (!streams.metadataForLocalThreads().isEmpty()
                        && streams.removeStreamThread(CLOSE_TIMEOUT).isPresent()) {
                    log.info("A stream thread has given its partitions back");
                }
            }
        }
    }

    private Tagging newTagging() {
        KafkaStreams streams = streams(
                TaggingTopology.build(config, shared),
                config.applicationId(),
                Optional.empty(),
                config.getInt(TagstreamConfig.STREAM_THREADS),
                clients -> new WatchedClients(clients, progress, copies),
                taggingClients);
        streams.setGlobalStateRestoreListener(restores);
        KafkaStreamsMetrics its = new KafkaStreamsMetrics(streams);
        its.bindTo(metrics);
        return new Tagging(streams, its);
    }

    /** There is another topic under this name: what was noted about the former one does not hold for it. */
    private void replaced(String topic) {
        progress.forget(topic);
        if (topic.equals(config.topic(TagstreamConfig.EMBEDDINGS_TOPIC))) {
            replaceTagging("topic " + topic + " is another one now, and is read from its beginning");
        } else if (topic.equals(config.topic(TagstreamConfig.CONTROL_TOPIC))) {
            writeControlAgain();
        }
    }

    private void writeControlAgain() {
        try {
            new ControlTopic(config, contracts)
                    .change(found -> found.isPresent() ? Optional.empty() : Optional.of(control.inForce()));
        } catch (KafkaException e) {
            log.warn("The control record cannot be written again yet: {}", e.toString());
            topics.soon(this::writeControlAgain, LONGEST_PAUSE);
        }
    }

    /**
     * Makes the tagging topology anew, and the gate starts it: its global thread has no other way to read its topic from
     * the beginning.
     */
    private void replaceTagging(String why) {
        synchronized (replacing) {
            if (closing.getCount() == 0 || failure.isDone()) {
                return;
            }
            log.warn("The tagging topology starts anew: {}", why);
            try {
                TopicReader.Contents labels = readLabels();
                if (!closed(tagging)) {
                    stopForGood(
                            new KafkaException("the tagging topology does not end, so it cannot start anew: " + why));
                    return;
                }
                vocabulary.forget();
                vocabulary.require(
                        labels.topicId(),
                        labels.newestOffset(),
                        control.inForce().getRevision());
                tagging = newTagging();
            } catch (KafkaException e) {
                log.warn("The tagging topology cannot start anew yet: {}", e.toString());
                topics.soon(() -> replaceTagging(why), LONGEST_PAUSE);
            }
        }
    }

    private static boolean closed(Tagging tagging) {
        tagging.metrics().close();
        return tagging.streams().close(closeOptions());
    }

    private TopicReader.Contents readLabels() {
        try (TopicReader reader = new ClusterTopicReader(config, config.applicationId() + "-vocabulary-end")) {
            return reader.read(config.topic(TagstreamConfig.LABELS_TOPIC));
        }
    }

    /** Whether this instance can serve: the streams run and the vocabulary has caught up. */
    public boolean ready() {
        return notReadyBecause().isEmpty();
    }

    /** The number of labels in the current vocabulary; 0 while there is none. */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** Why images get no tags although nothing is waiting, and what to do; empty if the vocabulary has labels. */
    public Optional<String> noTagsBecause() {
        return vocabulary.emptiness();
    }

    /** What this instance lacks to serve; empty when it can. Images may still wait: see {@link #tagging}. */
    public Optional<String> notReadyBecause() {
        if (failure.isDone()) {
            return Optional.of("the stream has failed: " + failure.join());
        }
        Optional<String> failing = failedThreads.reason();
        if (failing.isPresent()) {
            return failing;
        }
        Set<String> missing = topics.missing();
        if (!missing.isEmpty()) {
            return Optional.of(withoutTopics(missing));
        }
        if (waits.ofAll().isPresent()) {
            return Optional.empty();
        }
        KafkaStreams streams = tagging.streams();
        if (streams.state() != KafkaStreams.State.RUNNING) {
            return Optional.of("the tagging topology is " + streams.state());
        }
        if (streams.metadataForLocalThreads().stream().anyMatch(Tagstream::joins)) {
            return Optional.of("a stream thread is waiting for its partitions");
        }
        return vocabulary.notReadyBecause();
    }

    /** Whether images wait without any of them coming out, and why. */
    public TaggingHealth tagging() {
        return failure.isDone() ? TaggingHealth.waiting("the stream has failed: " + failure.join()) : watch.health();
    }

    /**
     * Whether, as far as this instance knows, any instance may stop without images waiting until state is read from
     * Kafka: whether the copies that it keeps are complete, and others copy its own partitions.
     */
    public TaggingHealth copies() {
        if (config.getInt(TagstreamConfig.STANDBY_REPLICAS) == 0) {
            return TaggingHealth.well("no copies: " + TagstreamConfig.STANDBY_REPLICAS + " is 0");
        }
        Optional<String> notReady = notReadyBecause();
        if (notReady.isPresent()) {
            return TaggingHealth.waiting("this instance is not ready: " + notReady.get());
        }
        Map<Integer, Long> behind = copies.behind();
        if (!behind.isEmpty()) {
            return TaggingHealth.waiting("the copies of partitions %s are not complete: %d records or more are left"
                    .formatted(
                            numbers(behind.keySet()),
                            behind.values().stream().mapToLong(Long::longValue).sum()));
        }
        Set<Integer> uncopied = uncopied();
        return uncopied.isEmpty()
                ? TaggingHealth.well(
                        "%d copies are complete".formatted(copies.complete().size()))
                : TaggingHealth.waiting(
                        "no other instance copies partitions %s of this instance".formatted(numbers(uncopied)));
    }

    private static String numbers(Collection<Integer> partitions) {
        return partitions.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /** The partitions of this instance that should be copied and are not; none if this instance has no address. */
    private Set<Integer> uncopied() {
        KafkaStreams streams = tagging.streams();
        if (address.isEmpty()
                || config.getInt(TagstreamConfig.STANDBY_REPLICAS) == 0
                || streams.state() != KafkaStreams.State.RUNNING) {
            return Set.of();
        }
        String input = TaggingTopology.taggingInput(config, config.applicationId());
        Set<Integer> uncopied = new TreeSet<>();
        Set<Integer> copied = new HashSet<>();
        for (StreamsMetadata each : streams.metadataForAllStreamsClients()) {
            if (each.hostInfo().equals(address.get())) {
                partitions(each.topicPartitions(), input).forEach(uncopied::add);
            }
            partitions(each.standbyTopicPartitions(), input).forEach(copied::add);
        }
        uncopied.removeAll(copied);
        return uncopied;
    }

    private static Stream<Integer> partitions(Set<TopicPartition> all, String topic) {
        return all.stream().filter(each -> each.topic().equals(topic)).map(TopicPartition::partition);
    }

    private static String withoutTopics(Set<String> missing) {
        return "the Kafka cluster no longer has topic " + String.join(", ", missing);
    }

    /** What the watch asks. */
    private final class Watched implements TaggingWatch.Instance {
        private final Inflow inflow;
        private final ModelRuntime runtime;

        Watched(Inflow inflow, ModelRuntime runtime) {
            this.inflow = inflow;
            this.runtime = runtime;
        }

        @Override
        public Optional<Wait> failedThread() {
            return failedThreads
                    .failure()
                    .map(thrown -> new Wait(
                            isCausedBy(thrown, RegistryUnavailableException.class)
                                    ? WaitReason.REGISTRY_AWAY
                                    : WaitReason.THREAD_FAILED,
                            "a stream thread failed with " + thrown));
        }

        @Override
        public Optional<Wait> missingTopic() {
            Set<String> missing = topics.missing();
            return missing.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Wait(WaitReason.TOPIC_MISSING, withoutTopics(missing)));
        }

        @Override
        public Optional<String> withoutVocabulary() {
            return vocabulary.notReadyBecause();
        }

        @Override
        public boolean holds(TopicPartition partition) {
            return inflow.holds(partition);
        }

        @Override
        public Duration longestImage() {
            return runtime.longestImage();
        }

        @Override
        public List<DeviceState> devices() {
            return runtime.devices();
        }
    }

    /** Whether a thread, such as the replacement for another, has yet to get its first partitions. */
    private static boolean joins(ThreadMetadata thread) {
        return thread.threadState().equals(NEW_THREAD);
    }

    /** What this instance knows about the images of its partitions. */
    public LocalImageQueries images() {
        return images;
    }

    /** Why this instance takes no partitions, and what to do; empty if its bundle is in force. */
    public Optional<Wait> waitsBecause() {
        return waits.ofAll();
    }

    /** The vocabulary's newest epoch on this instance; -1 if the vocabulary was never written. */
    public long vocabularyEpoch() {
        return vocabulary.epoch();
    }

    /**
     * Waits until images are being tagged.
     *
     * @throws TimeoutException if that takes longer than {@code timeout}, or the stream fails; says what is missing
     */
    public void awaitReady(Duration timeout) throws TimeoutException, InterruptedException {
        Instant deadline = Instant.now().plus(timeout);
        Optional<String> reason = notReadyBecause();
        while (reason.isPresent()) {
            if (failure.isDone() || Instant.now().isAfter(deadline)) {
                throw new TimeoutException("Tagstream is not ready: " + reason.get());
            }
            Thread.sleep(20);
            reason = notReadyBecause();
        }
    }

    /** Completes if the stream stops for good, with the exception that stopped it. */
    public CompletableFuture<Throwable> failure() {
        return failure;
    }

    /** Stops in order: images in flight stay pending on the cluster, and the next instance to run takes them up. */
    @Override
    public void close() {
        encoderMetrics.close();
        closing.countDown();
        vocabulary.close();
        topics.close();
        watch.close();
        gate.close();
        synchronized (replacing) {
            closed(tagging);
        }
        labelEncoder.close(closeOptions());
        shared.close();
        control.close();
    }

    /**
     * Leaves the groups. Otherwise the next instance, here or elsewhere, would wait for this member's session to time
     * out. {@link LeavingClients} make an exception for static members.
     */
    private static CloseOptions closeOptions() {
        return CloseOptions.timeout(CLOSE_TIMEOUT).withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP);
    }

    private KafkaStreams streams(
            Topology topology,
            String applicationId,
            Optional<String> clientId,
            int threads,
            UnaryOperator<KafkaClientSupplier> outermost,
            KafkaClientSupplier clients) {
        Properties properties = new Properties();
        properties.putAll(StreamsSettings.of(config, applicationId, threads));
        clientId.ifPresent(id -> properties.put(StreamsConfig.CLIENT_ID_CONFIG, id));
        RecordLimit limit = RecordLimit.of(config);
        if (limit.exceedsBrokersDefault()) { // or Kafka Streams' own topics would refuse what the producer accepts
            properties.put(StreamsConfig.topicPrefix(TopicConfig.MAX_MESSAGE_BYTES_CONFIG), limit.batchBytes());
        }
        KafkaStreams streams;
        try {
            streams = new KafkaStreams(
                    topology,
                    properties,
                    outermost.apply(new LeavingClients(new DecisiveClients(clients), failedThreads, threads)));
        } catch (StreamsException e) {
            throw state.explained(applicationId, e);
        }
        streams.setUncaughtExceptionHandler(this::afterThreadDeath);
        return streams;
    }

    /** Work survives the thread: the thread is replaced, after a pause, unless threads keep dying. */
    private StreamThreadExceptionResponse afterThreadDeath(Throwable thrown) {
        if (Thread.currentThread().getName().contains("GlobalStreamThread")) {
            return afterGlobalThreadDeath(thrown);
        }
        failedThreads.add(thrown);
        if (isCausedBy(thrown, UnknownStateException.class)) {
            stopForGood(new KafkaException("state cannot be read: " + thrown.getMessage(), thrown));
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        Optional<UnusableStateException> disk = state.ofDisk(thrown);
        if (disk.isPresent()) {
            stopForGood(disk.get());
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        int deaths = deathsLately();
        // A record is waiting for a schema that only the registry has: no reason to give up, however long it takes.
        boolean awaitsRegistry = isCausedBy(thrown, RegistryUnavailableException.class);
        boolean awaitsTopic = isCausedBy(thrown, MissingSourceTopicException.class);
        if (deaths > MOST_REPLACEMENTS && !awaitsRegistry && !awaitsTopic) {
            stopForGood(new KafkaException("stream threads keep failing, most recently with " + thrown, thrown));
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        Duration pause = pause(deaths);
        if (!state.isDamaged(thrown)) {
            log.error(
                    "A stream thread failed; it is replaced in {} ms and its work is redone", pause.toMillis(), thrown);
        }
        try {
            if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return StreamThreadExceptionResponse.REPLACE_THREAD;
    }

    /** Without its global thread, Kafka Streams cannot go on, so it is started anew. */
    private StreamThreadExceptionResponse afterGlobalThreadDeath(Throwable thrown) {
        if (deathsLately() > MOST_REPLACEMENTS) {
            stopForGood(new KafkaException("the global thread keeps failing", thrown));
        } else {
            log.error("The global thread failed", thrown);
            Tagging its = tagging;
            topics.soon(
                    () -> { // if its topic is another one, looking at the topics has replaced it
                        if (its.equals(tagging)) {
                            replaceTagging("its global thread failed with " + thrown);
                        }
                    },
                    FIRST_PAUSE);
        }
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    private int deathsLately() {
        synchronized (replacements) {
            Instant now = Instant.now();
            while (!replacements.isEmpty() && replacements.peek().isBefore(now.minus(REPLACEMENT_WINDOW))) {
                replacements.remove();
            }
            replacements.add(now);
            return replacements.size();
        }
    }

    private static boolean isCausedBy(Throwable thrown, Class<? extends Throwable> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private static Duration pause(int deaths) {
        Duration doubled = FIRST_PAUSE.multipliedBy(1L << Math.min(deaths - 1, 20));
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    private void stopForGood(KafkaException reason) {
        if (failure.complete(reason)) {
            log.error("Tagstream is stopping: {}", reason.getMessage(), reason);
        }
    }
}
