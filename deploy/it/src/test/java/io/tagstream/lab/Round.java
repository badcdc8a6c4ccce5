/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;

/**
 * One round: a broker, instances and load; then faults; then quiet until every submission has its outcome or time
 * is up; then an orderly end, and the check of what was committed.
 *
 * <p><i>Threading notes.</i> One thread runs the round; during the faults, each lane of faults has its own thread too.
 */
final class Round {
    /** Faults at the start of a round, in addition to {@link Fault}. */
    static final String EMPTY_VOCABULARY = "EMPTY_VOCABULARY_AT_START";

    static final String REGISTRY_DOWN = "REGISTRY_DOWN_AT_START";

    private static final int IMAGES_PER_SECOND = 40;
    private static final int FEW_IMAGES_PER_SECOND = 10;
    /** Milliseconds between two edits of the vocabulary. */
    private static final int SELDOM_MILLIS = 1_500;
    /** The same for a round with many edits; most edits then get an epoch of their own. */
    private static final int OFTEN_MILLIS = 130;

    /** The features of the bundled model, in bytes. */
    private static final int BUNDLED_FEATURE_BYTES = 27_000;

    /** The session timeout of the instances. */
    private static final Duration SESSION = Duration.ofSeconds(10);

    /** When fewer images wait, they are those of the moment. */
    private static final int MOST_WAITING = 3 * IMAGES_PER_SECOND;

    /** How long it may take until the known images are known. */
    private static final Duration LONGEST_FILLING = Duration.ofMinutes(20);

    private static final Duration SHORTEST_REST = Duration.ofSeconds(2);
    private static final Duration LONGEST_REST = Duration.ofSeconds(3);
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(1_500);
    private static final Duration LONGEST_START = Duration.ofSeconds(6);

    private final RoundPlan plan;
    private final Path directory;
    private final Conditions conditions;
    private final Effects effects;
    private final Map<String, Integer> happened = new ConcurrentSkipListMap<>();
    private final List<Fault> missed = new CopyOnWriteArrayList<>();
    private final Journal journal;

    /**
     * What a round needs besides its plan.
     *
     * @param patience the longest time from the last fault to the last outcome
     * @param leastEdits the least number of edits of the vocabulary; 0 for occasional ones
     * @param knownImages how many images each partition knows before the faults begin; with any, the vocabulary is not
     *     edited, and features are as large as the bundled model's
     * @param crossedFeatures whether instances have a fault that the checks must find: {@link CrossedModel}
     * @param slack the factor for all bounds of silence, more than 1 for a busy machine
     * @param settings further settings of the instances
     */
    record Conditions(
            Duration patience,
            int leastEdits,
            int knownImages,
            boolean crossedFeatures,
            double slack,
            Map<String, String> settings) {
        /** Occasional edits, and no known images. */
        static Conditions usual(Duration patience, double slack) {
            return new Conditions(patience, 0, 0, false, slack, Map.of());
        }
    }

    /** {@code directory} is an empty directory for everything that the round writes. */
    Round(RoundPlan plan, Path directory, Conditions conditions) throws IOException {
        this.conditions = conditions;
        this.effects = new Effects(conditions.slack());
        this.plan = plan;
        this.directory = directory;
        this.journal = new Journal(directory.resolve("journal"));
    }

    RoundResult run() throws Exception {
        Instant began = Instant.now();
        SplittableRandom random = new SplittableRandom(plan.seed());
        try (BrokerProcess broker = new BrokerProcess(directory);
                RegistryProxy proxy = new RegistryProxy(broker.registryUrl());
                ImageServer images = new ImageServer()) {
            journal.note(plan.toString());
            broker.start();
            Map<String, String> settings = settings(broker, proxy);
            TagstreamConfig config = new TagstreamConfig(settings);
            TopicProvisioner.provision(config);
            keepAll(config);
            try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
                Contracts contracts = new Contracts(registry);
                contracts.register(config);
                try (Progress progress = new Progress(config, contracts);
                        Load load = new Load(
                                config,
                                registry,
                                contracts,
                                images.url(),
                                imagesPerSecond(),
                                editEveryMillis(),
                                random.split());
                        Spells spells = new Spells();
                        Fleet fleet = new Fleet(directory, settings, jvmOptions());
                        Witness witness = new Witness(config, fleet, effects, limits(config))) {
                    load.onAccepted(witness::accepted);
                    witness.start();
                    Topics topics = new Topics(config, contracts, journal);
                    Operator operator = new Operator(config, contracts);
                    Scene scene = new Scene(
                            broker, proxy, fleet, images, load, spells, topics, operator, plan.apart(), random.split());
                    // the first instance tags while the others join
                    Effects.Effect joining = effects.begin(Fault.INSTANCE_ADDED, Instant.now());
                    long firstEpoch = begin(scene);
                    if (plan.apart()) {
                        awaitCalm(scene, witness.flow());
                        joining.over();
                        injectApart(scene, witness);
                    } else {
                        joining.injected();
                        injectAll(scene);
                    }
                    awaitEdits(load);
                    settle(scene, progress);
                    journal.note("stopping");
                    witness.end();
                    fleet.stopAll();
                    journal.note("checking");
                    History history = new HistoryReader(config, contracts)
                            .read(firstEpoch, images.hasFailed(), topics.markers(), topics.markersLost());
                    return new RoundResult(
                            plan,
                            happened,
                            missed,
                            history.submissions().size(),
                            load.edits(),
                            witness.silences(),
                            witness.named(),
                            fleet.surrenders(),
                            violations(history, witness),
                            Duration.between(began, Instant.now()));
                }
            }
        }
    }

    private List<Violation> violations(History history, Witness witness) throws IOException {
        List<Violation> violations = new ArrayList<>(Checker.check(history));
        violations.addAll(witness.violations());
        violations.addAll(LoggedErrors.documented().check(directory));
        return violations;
    }

    /** Few enough for a busy machine, where state is to be measured. */
    private int imagesPerSecond() {
        return conditions.knownImages() > 0 ? FEW_IMAGES_PER_SECOND : IMAGES_PER_SECOND;
    }

    private int editEveryMillis() {
        if (conditions.knownImages() > 0) {
            return Integer.MAX_VALUE;
        }
        return conditions.leastEdits() > 0 ? OFTEN_MILLIS : SELDOM_MILLIS;
    }

    private List<String> jvmOptions() {
        List<String> options = new ArrayList<>();
        if (conditions.knownImages() > 0) {
            options.add("-Xmx512m");
            options.add("-D%s=%d".formatted(WordModel.FEATURE_BYTES_KEY, BUNDLED_FEATURE_BYTES));
        } else {
            options.add("-Xmx192m");
        }
        options.add("-D%s=%s".formatted(CrossedModel.KEY, conditions.crossedFeatures()));
        return options;
    }

    private HealthCheck.Limits limits(TagstreamConfig config) {
        return new HealthCheck.Limits(
                config.taggingAfter(), Duration.ofMillis(config.getInt(InferenceKeys.IMAGE_DEADLINE_MILLIS)), SESSION);
    }

    private void awaitEdits(Load load) throws InterruptedException {
        while (load.edits() < conditions.leastEdits()) {
            Thread.sleep(OFTEN_MILLIS);
        }
    }

    private Map<String, String> settings(BrokerProcess broker, RegistryProxy proxy) {
        Map<String, String> settings = new HashMap<>();
        settings.put(TagstreamConfig.BOOTSTRAP_SERVERS, broker.bootstrapServers());
        settings.put(TagstreamConfig.SCHEMA_REGISTRY_URL, proxy.url());
        settings.put(TopicKeys.TOPICS_PARTITIONS, Integer.toString(plan.partitions()));
        settings.put(TagstreamConfig.IMAGES_REPARTITION, Boolean.toString(plan.repartition()));
        settings.put(TagstreamConfig.STREAM_THREADS, Integer.toString(plan.threads()));
        settings.put(TagstreamConfig.TASK_PENDING_MAX, Integer.toString(plan.pendingMost()));
        settings.put(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT, Integer.toString(plan.featuresMost()));
        settings.put(InferenceKeys.MODEL_MAX_IN_FLIGHT, "64");
        settings.put(InferenceKeys.FETCH_ALLOW_PRIVATE, "true");
        settings.put(InferenceKeys.FETCH_CONCURRENCY, "16");
        settings.put(InferenceKeys.FETCH_TIMEOUT_MILLIS, "2000");
        settings.put(TagstreamConfig.SWEEP_CHECK_MILLIS, "100");
        settings.put(InferenceKeys.RETRY_BACKOFF_MAX_MILLIS, "1000");
        settings.put(InferenceKeys.IMAGE_DEADLINE_MILLIS, "30000");
        settings.put(TagstreamConfig.HTTP_PORT, "0");
        settings.put(
                TagstreamConfig.HEALTH_TAGGING_AFTER_MILLIS,
                Long.toString(Duration.ofSeconds(plan.healthAfterSeconds()).toMillis()));
        if (plan.impatient()) {
            settings.put("kafka.producer.max.block.ms", "4000");
            settings.put("kafka.producer.request.timeout.ms", "4000");
            settings.put("kafka.producer.delivery.timeout.ms", "6000");
        }
        settings.putAll(conditions.settings());
        return settings;
    }

    /** Starts the load and the instances; returns the vocabulary's end from before the first instance. */
    private long begin(Scene scene) throws Exception {
        if (plan.emptyVocabulary()) {
            count(EMPTY_VOCABULARY);
        } else {
            scene.load().addLabels();
        }
        long firstEpoch = scene.load().vocabularyEnd();
        if (plan.registryDown()) {
            count(REGISTRY_DOWN);
            scene.broker().registry(false);
            scene.spells()
                    .endAfter(
                            scene.between(Duration.ofSeconds(1), LONGEST_START),
                            () -> scene.broker().registry(true));
        }
        for (int i = 0; i < plan.instances(); i++) {
            scene.fleet().add();
        }
        if (conditions.knownImages() > 0) {
            journal.note("filling");
            scene.load().addKnown(conditions.knownImages() * plan.partitions());
        }
        scene.load().start();
        return firstEpoch;
    }

    /** Injects one fault after another, each once images flow and every instance is ready. */
    private void injectApart(Scene scene, Witness witness) throws Exception {
        Flow flow = witness.flow();
        if (conditions.knownImages() > 0) {
            Awaiting.that(LONGEST_FILLING, () -> flow.waiting() < MOST_WAITING);
            witness.begin();
        }
        for (Fault fault : plan.faults()) {
            awaitCalm(scene, flow);
            scene.pass(SHORTEST_REST, LONGEST_REST);
            Effects.Effect effect = inject(fault, scene);
            scene.spells().awaitEnd();
            scene.pass(SHORTEST_REST, LONGEST_REST);
            awaitCalm(scene, flow);
            effect.over();
        }
    }

    private void awaitCalm(Scene scene, Flow flow) throws InterruptedException, IOException {
        boolean calm = Awaiting.that(
                conditions.patience(),
                () -> scene.fleet().isReady() && flow.waiting() < MOST_WAITING && flow.flows(Instant.now()));
        journal.note((calm ? "calm" : "not calm in time") + "; silences so far: "
                + Silences.of(flow.silences(Instant.now()), effects));
    }

    /** Keeps outcomes, labels and markers from being compacted away before they are checked. */
    private static void keepAll(TagstreamConfig config) throws InterruptedException, ExecutionException {
        String aDay = Long.toString(Duration.ofDays(1).toMillis());
        List<AlterConfigOp> notYet = List.of(new AlterConfigOp(
                new ConfigEntry(TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, aDay), AlterConfigOp.OpType.SET));
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        for (String topic :
                List.of(TagstreamConfig.TAGS_TOPIC, TagstreamConfig.LABELS_TOPIC, TagstreamConfig.EMBEDDINGS_TOPIC)) {
            changes.put(new ConfigResource(ConfigResource.Type.TOPIC, config.topic(topic)), notYet);
        }
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            admin.incrementalAlterConfigs(changes).all().get();
        }
    }

    private void injectAll(Scene scene) throws InterruptedException, ExecutionException {
        ExecutorService lanes = Executors.newCachedThreadPool();
        try {
            List<Future<?>> ends = new ArrayList<>();
            for (Fault.Lane lane : Fault.Lane.values()) {
                Scene ofLane = scene.withRandom(scene.random().split());
                ends.add(lanes.submit(() -> {
                    for (Fault fault : plan.faults()) {
                        if (fault.lane() == lane) {
                            ofLane.pass(SHORTEST_PAUSE, LONGEST_PAUSE);
                            inject(fault, ofLane);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                end.get();
            }
        } finally {
            lanes.shutdownNow();
        }
    }

    private Effects.Effect inject(Fault fault, Scene scene) throws Exception {
        journal.note(fault.name());
        Effects.Effect effect = effects.begin(fault, Instant.now());
        boolean happens = fault.inject(scene);
        if (!plan.apart()) { // otherwise it is over when the round is calm
            effect.injected();
        }
        journal.note(fault + (happens ? " has happened" : " did not happen"));
        if (happens) {
            count(fault.name());
        } else {
            missed.add(fault);
        }
        return effect;
    }

    private void count(String fault) {
        happened.merge(fault, 1, Integer::sum);
    }

    /** Waits until everything is done or time is up; the checker will then report what is missing. */
    private void settle(Scene scene, Progress progress) throws Exception {
        journal.note("settling");
        scene.load().finish();
        scene.spells().awaitEnd();
        awaitRest(scene, progress);
        if (conditions.knownImages() == 0) { // otherwise it would take too long
            journal.note("adding the last label");
            scene.load().addLastLabel();
            awaitRest(scene, progress);
        }
    }

    private void awaitRest(Scene scene, Progress progress) throws Exception {
        long submissions = scene.load().submissions();
        long vocabularyEnd = scene.load().vocabularyEnd();
        long revision = scene.operator().revision();
        long deadline = System.nanoTime() + conditions.patience().toNanos();
        while (!progress.isAtRest(submissions, vocabularyEnd, revision) && System.nanoTime() < deadline) {
            Thread.sleep(100);
        }
    }
}
