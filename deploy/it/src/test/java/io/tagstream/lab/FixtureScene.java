/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import io.tagstream.avro.state.SweepState;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.TestCluster;
import io.tagstream.lab.Fixture.Entry;
import io.tagstream.lab.Fixture.Head;
import io.tagstream.lab.Fixture.Image;
import io.tagstream.lab.Fixture.Position;
import io.tagstream.lab.Fixture.Stage;
import io.tagstream.lab.Fixture.Submission;
import io.tagstream.lab.History.Content;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingTopology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes the {@link Fixture} of this version: brings about a cluster in the middle of its work, kills the instance, and
 * keeps what it left. The arguments are the version's name and the file to write.
 *
 * <p>Known images with and without features, changed and deleted ones; failures; dead letters of images and of labels;
 * labels that are active, shadow, changed, refused and removed; a sweep that a second edit has overtaken, stopped
 * halfway; images in the pending store, among them two of one id and a deletion; images in the re-keying topic alone;
 * images and labels that nobody has read.
 */
final class FixtureScene implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int PARTITIONS = 2;
    private static final int UNREAD_LABELS = 1;
    private static final int KNOWN_IMAGES = 240;
    private static final int HELD_IMAGES = 60;

    private static final int REKEYED_IMAGES = 20;

    /** How many images a task owes before it takes no others. */
    private static final int MOST_PENDING = 12;

    /** Fewer than the known images of a partition: the oldest have no features. */
    private static final int MOST_FEATURES = 60;

    /** So slow that a sweep can be stopped halfway. */
    private static final int SWEPT_PER_SECOND = 25;

    private final String version;
    private final TestCluster cluster;
    private final Path directory;
    private final TagstreamConfig config;
    private final SchemaRegistry registry;
    private final Contracts contracts;
    private final KafkaProducer<String, byte[]> producer;
    private final Set<Long> withOutcome = new HashSet<>();
    private final Map<String, Boolean> pending = new HashMap<>();
    private final Map<Integer, Set<Long>> sweptEpochs = new HashMap<>();
    private long sequence;

    private FixtureScene(String version, TestCluster cluster, Path directory) {
        this.version = version;
        this.cluster = cluster;
        this.directory = directory;
        this.config = new TagstreamConfig(new HashMap<>(settings(cluster)));
        TopicProvisioner.provision(config);
        this.registry = SchemaRegistries.connect(config.registrySettings());
        this.contracts = new Contracts(registry);
        contracts.register(config);
        this.producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createTempDirectory("tagstream-fixture-");
        try (TestCluster cluster = TestCluster.start();
                FixtureScene scene = new FixtureScene(arguments[0], cluster, directory)) {
            Fixture fixture = scene.play();
            fixture.write(Path.of(arguments[1]));
            System.out.println(summary(fixture));
        }
    }

    /** One line on what a fixture holds. */
    static String summary(Fixture fixture) {
        Map<Stage, Long> stages = fixture.submissions().stream()
                .collect(Collectors.groupingBy(Submission::stage, TreeMap::new, Collectors.counting()));
        return "%s: %d records on %d topics, %d schemas, submissions %s, known images in the end %d"
                .formatted(
                        fixture.head().version(),
                        fixture.entries().size(),
                        fixture.topics().size(),
                        fixture.schemas().size(),
                        stages,
                        fixture.images().size());
    }

    /** The configuration on a cluster, for the version that writes the fixture and for the one that takes over. */
    static Map<String, String> settings(TestCluster cluster) {
        return Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                cluster.bootstrapServers(),
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                cluster.registryUrl(),
                TopicKeys.TOPICS_PARTITIONS,
                Integer.toString(PARTITIONS),
                TagstreamConfig.SWEEP_CHECK_MILLIS,
                "100",
                // or features would be too old when a later version finds them
                TagstreamConfig.IMAGE_FEATURES_MAX_AGE_MILLIS,
                Long.toString(Duration.ofDays(36_500).toMillis()));
    }

    private Fixture play() throws Exception {
        writeFirstLabels();
        try (ChildProcess instance = startInstance()) {
            submitKnownImages();
            await("every image has its outcome", () -> withOutcome.size() == sequence);

            submitHeldImages();
            await("tasks owe as much as they may", () -> pending.size() >= PARTITIONS * MOST_PENDING);
            for (int number = 0; number < REKEYED_IMAGES; number++) {
                image("rekeyed-" + number, words(number));
            }
            await("they are in the re-keying topic", () -> admitted() == sequence);

            long boat = label("boat", Label.newBuilder().setName("boat").build());
            await("the first sweep is under way", () -> sweeps(boat));
            label("fox", Label.newBuilder().setName("fox").build());
            long all = label(
                    "all",
                    Label.newBuilder().setName("everything").setThreshold(0.3).build());
            await("the second sweep has overtaken it", () -> sweeps(all));
            instance.kill();
        }
        label("kite", Label.newBuilder().setName("kite").build());
        label("car", null);
        submitUnreadImages();
        return dump();
    }

    private ChildProcess startInstance() throws IOException {
        Map<String, String> settings = new HashMap<>(settings(cluster));
        settings.put(TagstreamConfig.STATE_DIR, directory.resolve("state").toString());
        settings.put(TagstreamConfig.TASK_PENDING_MAX, Integer.toString(MOST_PENDING));
        settings.put(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT, Integer.toString(MOST_FEATURES));
        settings.put(TagstreamConfig.SWEEP_MAX_RATE, Integer.toString(SWEPT_PER_SECOND));
        settings.put("kafka.repartition.purge.interval.ms", "1000"); // so that its topic has no beginning
        return ChildProcess.start(
                "instance",
                HoldingInstanceMain.class,
                List.of("-Xmx192m"),
                settings.entrySet().stream().map(Object::toString).toList(),
                directory.resolve("log"));
    }

    private void writeFirstLabels() throws InterruptedException, ExecutionException {
        label("dog", Label.newBuilder().setName("dog").build());
        label("car", Label.newBuilder().setName("car").build());
        label("owl", Label.newBuilder().setName("owl").setThreshold(0.9).build());
        label("all", Label.newBuilder().setName("everything").setThreshold(0.2).build());
        label(
                "heron",
                Label.newBuilder().setName("heron").setState(LabelState.SHADOW).build());
        label("nameless", Label.newBuilder().setName(" ").build());
        label("car", Label.newBuilder().setName(" ").build());
        var unused = producer.send(
                new ProducerRecord<>(config.topic(TagstreamConfig.LABELS_TOPIC), "unreadable", new byte[] {9, 9}));
        producer.flush();
    }

    private void submitKnownImages() {
        for (int number = 0; number < KNOWN_IMAGES; number++) {
            image(id(number), words(number));
        }
        for (int number = 0; number < 10; number++) {
            image("corrupt-" + number, Words.CORRUPT);
        }
        submit("nowhere", reference(Expectation.UNKNOWN_SCHEME + "dog"));
        for (int number = 10; number < 20; number++) {
            image(id(number), words(number + 1));
        }
        image(id(20), Words.CORRUPT);
        for (int number = 21; number < 26; number++) {
            submit(id(number), null);
        }
        submit("unknown", null);
        submit(null, reference(Expectation.DATA + "dog"));
        submit("no-avro", new byte[] {1, 2, 3});
        submit("unknown-schema", new byte[] {0, 0, 0, 99, 99, 1});
        producer.flush();
    }

    /** Of known images, only those are submitted again that have features, and so need not be read again. */
    private void submitHeldImages() {
        for (int number = 230; number < 234; number++) {
            image(id(number), words(number + 1) + "+" + WatchedModel.HELD);
        }
        image(id(230), words(3));
        submit(id(231), null);
        image(id(232), Words.CORRUPT);
        for (int number = 0; number < HELD_IMAGES; number++) {
            image("held-" + number, words(number) + "+" + WatchedModel.HELD);
        }
        producer.flush();
    }

    private void submitUnreadImages() {
        for (int number = 0; number < 20; number++) {
            image("unread-" + number, words(number));
        }
        image(id(233), words(5));
        submit(id(235), null);
        submit("held-0", null);
        image("unread-corrupt", Words.CORRUPT);
        submit("unread-no-avro", new byte[] {1, 2, 3});
        producer.flush();
    }

    private static String id(int number) {
        return "image-%03d".formatted(number);
    }

    /** Every label has some of the images. */
    private static String words(int number) {
        List<String> words = new ArrayList<>(List.of("no" + number));
        Map<String, Integer> every =
                new TreeMap<>(Map.of("dog", 2, "car", 3, "heron", 4, "owl", 5, "fox", 6, "boat", 7, "kite", 8));
        every.forEach((word, divisor) -> {
            if (number % divisor == 0) {
                words.add(word);
            }
        });
        return String.join("+", words);
    }

    private void image(String id, String words) {
        submit(id, reference(Expectation.DATA + words));
    }

    private byte[] reference(String uri) {
        ImageReference reference = ImageReference.newBuilder().setUri(uri).build();
        return contracts.imageReference().serializer().serialize(config.topic(TagstreamConfig.IMAGES_TOPIC), reference);
    }

    private void submit(String id, byte[] reference) {
        ProducerRecord<String, byte[]> submission =
                new ProducerRecord<>(config.topic(TagstreamConfig.IMAGES_TOPIC), id, reference);
        Sequences.put(submission, sequence++);
        var unused = producer.send(submission);
    }

    /** Writes a label; returns the record's offset. */
    private long label(String id, Label label) throws InterruptedException, ExecutionException {
        String topic = config.topic(TagstreamConfig.LABELS_TOPIC);
        byte[] value = contracts.label().serializer().serialize(topic, label);
        return producer.send(new ProducerRecord<>(topic, id, value)).get().offset();
    }

    private void await(String what, BooleanSupplier condition) throws Exception {
        String pendingTopic = changelog(TaggingTopology.PENDING_STORE);
        String sweepTopic = changelog(TaggingTopology.SWEEP_STORE);
        awaitTopic(sweepTopic);
        withOutcome.clear();
        pending.clear();
        sweptEpochs.clear();
        try (CommittedReader reader = new CommittedReader(
                config,
                List.of(
                        config.topic(TagstreamConfig.TAGS_TOPIC),
                        config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC),
                        config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC),
                        pendingTopic,
                        sweepTopic))) {
            boolean holds = Awaiting.that(PATIENCE, () -> {
                for (ConsumerRecord<byte[], byte[]> found : reader.poll()) {
                    if (found.topic().equals(pendingTopic)) {
                        String entry = found.partition() + Fixture.text(found.key());
                        pending.compute(entry, (key, before) -> found.value() == null ? null : true);
                    } else if (found.topic().equals(sweepTopic)) {
                        sweptEpochs.put(found.partition(), coveredEpochs(found));
                    } else {
                        Sequences.of(found).ifPresent(withOutcome::add);
                    }
                }
                return condition.getAsBoolean();
            });
            if (!holds) {
                throw new IOException("Waited in vain until %s: %d of %d outcomes, %d pending, swept %s; see %s"
                        .formatted(what, withOutcome.size(), sequence, pending.size(), sweptEpochs, directory));
            }
        }
    }

    /** How many submissions have passed admission. */
    private long admitted() {
        try (FixtureDump dump = new FixtureDump(config)) {
            return dump.positions().stream()
                    .filter(position -> position.topic().equals(config.topic(TagstreamConfig.IMAGES_TOPIC)))
                    .mapToLong(Position::offset)
                    .sum();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("Cannot ask for positions", e);
        }
    }

    private void awaitTopic(String topic) throws Exception {
        try (FixtureDump dump = new FixtureDump(config)) {
            for (int attempt = 0; !dump.exists(topic); attempt++) {
                if (attempt == PATIENCE.toSeconds()) {
                    throw new IOException("There is no topic %s; see %s".formatted(topic, directory));
                }
                Thread.sleep(1_000);
            }
        }
    }

    private static Set<Long> coveredEpochs(ConsumerRecord<byte[], byte[]> found) {
        return sweepState(found.value()).getCoverage().stream()
                .map(range -> range.getEpoch())
                .collect(Collectors.toSet());
    }

    /** Whether some known images of every partition follow the vocabulary up to an offset, and others do not yet. */
    private boolean sweeps(long offset) {
        return sweptEpochs.size() == PARTITIONS
                && sweptEpochs.values().stream()
                        .allMatch(epochs -> epochs.stream().anyMatch(epoch -> epoch >= offset)
                                && epochs.stream().anyMatch(epoch -> epoch < offset));
    }

    private Fixture dump() throws Exception {
        try (FixtureDump dump = new FixtureDump(config);
                WordModel model = new WordModel(config)) {
            dump.awaitTransactions();
            List<Fixture.Topic> topics = dump.topics();
            List<Position> positions = dump.positions();
            List<Entry> entries = dump.entries(topics);
            History history = new HistoryReader(config, contracts).read(-1, false);
            return new Fixture(
                    new Head(
                            version,
                            PARTITIONS,
                            System.currentTimeMillis(),
                            withoutFeatures(entries),
                            UNREAD_LABELS,
                            Shape.of(config, registry, model)),
                    new RegistryContents(cluster.registryUrl()).read(),
                    topics,
                    entries,
                    positions,
                    submissions(history, positions),
                    images(history));
        }
    }

    private long withoutFeatures(List<Entry> entries) {
        Map<Integer, SweepState> latest = new HashMap<>();
        entries.stream()
                .filter(entry -> entry.topic().equals(changelog(TaggingTopology.SWEEP_STORE)))
                .forEach(entry -> latest.put(entry.partition(), sweepState(Fixture.bytes(entry.value()))));
        return latest.values().stream()
                .mapToLong(state -> state.getImages() - state.getFeatures())
                .sum();
    }

    private String changelog(String store) {
        return config.applicationId() + "-" + store + "-changelog";
    }

    private static SweepState sweepState(byte[] bytes) {
        return new StateSerde<>(SweepState.class).deserializer().deserialize(null, bytes);
    }

    private List<Submission> submissions(History history, List<Position> positions) {
        Set<Long> done =
                history.outcomes().stream().map(History.Outcome::sequence).collect(Collectors.toSet());
        Set<History.Position> owed = history.pending().stream()
                .map(image -> new History.Position(
                        image.origin().getPartition(), image.origin().getOffset()))
                .collect(Collectors.toSet());
        Predicate<History.Position> read = place -> positions.stream()
                .anyMatch(position -> position.topic().equals(config.topic(TagstreamConfig.IMAGES_TOPIC))
                        && position.partition() == place.partition()
                        && position.offset() > place.offset());
        return history.submissions().stream()
                .map(submission -> {
                    Stage unfinished = read.test(submission.position()) ? Stage.REKEYED : Stage.UNREAD;
                    Stage notDone = owed.contains(submission.position()) ? Stage.OWED : unfinished;
                    Stage stage = done.contains(submission.sequence()) ? Stage.DONE : notDone;
                    return new Submission(submission.sequence(), submission.id(), outcome(submission), stage);
                })
                .toList();
    }

    private static String outcome(History.Submission submission) {
        if (submission.content() instanceof Content.Image image) {
            return Expectation.of(image.uri()).failure().map(Enum::name).orElse("TAGS");
        }
        return submission.content() instanceof Content.Deletion ? "DELETION" : "DEAD_LETTER";
    }

    private static List<Image> images(History history) {
        Map<String, List<String>> words = new TreeMap<>();
        for (History.Submission submission : history.submissions()) {
            switch (outcome(submission)) {
                case "TAGS" ->
                    words.put(
                            submission.id(),
                            Expectation.of(((Content.Image) submission.content()).uri())
                                    .words());
                case "DELETION" -> words.remove(submission.id());
                default -> {} // an image that fails keeps what it had
            }
        }
        VocabularyModel vocabulary = new VocabularyModel(history);
        return words.entrySet().stream()
                .map(image -> new Image(
                        image.getKey(),
                        vocabulary.latest(image.getValue()).tags().stream()
                                .map(Tag::getLabelId)
                                .toList()))
                .toList();
    }

    @Override
    public void close() {
        producer.close();
        registry.close();
    }
}
