/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.micrometer.core.instrument.Counter;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.it.TopicEraser;
import io.tagstream.topology.Stage.Read;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.tagging.TaggingMetric;
import io.tagstream.topology.tagging.TaggingTopology;
import io.tagstream.topology.waits.TaggingHealth;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Each topic, deleted and emptied, while an instance runs and while none does: the rows of the operations page's table.
 * Whatever is lost, the instance goes on, new images get one outcome each, and so do the images that waited, unless the
 * only record of them is gone.
 */
@InFull
class LostTopicsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int IMAGES = 6;

    private static TestCluster cluster;

    @TempDir
    private Path state;

    private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent line) {
            if (line.getLevel().isGreaterOrEqual(Level.WARN)) {
                lines.add(line);
            }
        }
    };

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = TestCluster.start();
    }

    @AfterAll
    static void stopCluster() throws Exception {
        cluster.close();
    }

    @BeforeEach
    void followTheLog() {
        appender.start();
        ourLog().addAppender(appender);
    }

    @AfterEach
    void leaveTheLog() {
        ourLog().detachAppender(appender);
    }

    private static Logger ourLog() {
        return (Logger) LoggerFactory.getLogger("io.tagstream");
    }

    /** A topic by its configuration key, or by the end of its name if Kafka Streams keeps it. */
    private enum Lost {
        IMAGES(TagstreamConfig.IMAGES_TOPIC),
        LABELS(TagstreamConfig.LABELS_TOPIC),
        EMBEDDINGS(TagstreamConfig.EMBEDDINGS_TOPIC),
        CONTROL(TagstreamConfig.CONTROL_TOPIC),
        TAGS(TagstreamConfig.TAGS_TOPIC),
        TAG_CHANGES(TagstreamConfig.TAG_CHANGES_TOPIC),
        IMAGE_FAILURES(TagstreamConfig.IMAGE_FAILURES_TOPIC),
        LABEL_FAILURES(TagstreamConfig.LABEL_FAILURES_TOPIC),
        DEAD_LETTERS(TagstreamConfig.DEAD_LETTERS_TOPIC),
        REKEYING("images-repartition"),
        PENDING(TaggingTopology.PENDING_STORE),
        IMAGE_META(TaggingTopology.IMAGE_META_STORE),
        IMAGE_FEATURES(TaggingTopology.IMAGE_FEATURES_STORE),
        SWEEP(TaggingTopology.SWEEP_STORE),
        TASK_PROGRESS(TaggingTopology.TASK_PROGRESS_STORE),
        ENCODED_LABELS(LabelEncoderTopology.ENCODED_LABELS_STORE),
        ENCODER_PROGRESS(LabelEncoderTopology.ENCODER_PROGRESS_STORE);

        private final String name;

        Lost(String name) {
            this.name = name;
        }

        String topic(Stage stage, String textFingerprint) {
            String application = stage.config().applicationId();
            return switch (this) {
                case IMAGES,
                        LABELS,
                        EMBEDDINGS,
                        CONTROL,
                        TAGS,
                        TAG_CHANGES,
                        IMAGE_FAILURES,
                        LABEL_FAILURES,
                        DEAD_LETTERS -> stage.topic(name);
                case REKEYING -> application + "-" + name;
                case PENDING, IMAGE_META, IMAGE_FEATURES, SWEEP, TASK_PROGRESS ->
                    TaggingTopology.changelog(application, name);
                case ENCODED_LABELS, ENCODER_PROGRESS ->
                    LabelEncoderTopology.applicationId(application, textFingerprint) + "-" + name + "-changelog";
            };
        }

        boolean configured() {
            return compareTo(REKEYING) < 0;
        }

        boolean changelog() {
            return compareTo(REKEYING) > 0;
        }
    }

    /** One mishap. */
    private record Mishap(Lost lost, boolean deleted, boolean running) {
        /** Whether the images that waited are lost: nobody had them in memory. */
        boolean losesPending() {
            return lost == Lost.PENDING && !running;
        }

        /**
         * Whether known images become unknown: without the changelog, Kafka Streams drops the store on disk. If the topic
         * is new, it keeps the store of a task that it finds restored before it hears that the offsets are gone.
         */
        boolean losesKnownImages() {
            return lost == Lost.IMAGE_META && !running;
        }

        /** Whether some known images may stay known nevertheless. */
        boolean mayKeepKnownImages() {
            return losesKnownImages() && deleted;
        }

        /** Whether a metric counts it: topics are only looked at while an instance runs. */
        boolean counted() {
            return running
                    && (deleted
                            || switch (lost) {
                                case CONTROL, TAGS, PENDING, IMAGE_META, SWEEP, TASK_PROGRESS -> true;
                                default -> false;
                            });
        }

        /** What the log has about it. */
        List<String> said(String topic) {
            List<String> said = new ArrayList<>();
            if (deleted && running) {
                if (lost != Lost.REKEYING) { // Kafka Streams creates this one in a rebalance, which may come first
                    said.add("Created topic " + topic + " again");
                }
                said.add("Topic " + topic + " was deleted, and there is a new one");
            } else if (deleted && lost.configured()) {
                said.add("Topic " + topic + " does not exist, but others of Tagstream's do");
            }
            switch (lost) {
                case CONTROL -> {
                    if (!deleted && running) {
                        said.add("Records of topic " + topic + " were deleted");
                    } else if (!running) {
                        said.add("the bundle and the policy in force are restored");
                    }
                }
                case TAGS -> said.add("topic " + topic + " has lost records, so ");
                case IMAGE_META ->
                    said.add(
                            losesKnownImages()
                                    ? "Unknown images keep their tags, and follow the vocabulary once they are submitted"
                                    : "topic " + topic + " has lost records, so ");
                case PENDING ->
                    said.add("topic " + topic + " has lost records"
                            + (running ? ", so 2 images" : " while nobody had them in memory: submit images again"));
                default -> {
                    // nothing else says more
                }
            }
            return said;
        }
    }

    static Stream<Mishap> mishaps() {
        return Stream.of(Lost.values())
                .flatMap(lost -> Stream.of(
                        new Mishap(lost, true, true),
                        new Mishap(lost, true, false),
                        new Mishap(lost, false, true),
                        new Mishap(lost, false, false)));
    }

    @ParameterizedTest
    @MethodSource("mishaps")
    void shouldGoOnWithoutWhatIsLost(Mishap mishap) throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5);
                Admin admin = admin()) {
            stage.label("dog");
            stage.flush();
            Tagstream instance = start(stage, model);
            submit(stage, "known-", "fake:dog+car+owl");
            awaitOutcomes(stage, "known-", 1);
            submit(stage, "waiting-", "hang:dog+car+owl");
            await("the images to be pending").atMost(PATIENCE).until(() -> stage.pending() == IMAGES);
            await("the tasks' notes").atMost(PATIENCE).until(stage::topicsNoted);

            if (!mishap.running()) {
                instance.close();
            }
            lines.clear();
            String topic = mishap.lost().topic(stage, model.description().textFingerprint());
            if (mishap.deleted()) {
                admin.deleteTopics(List.of(topic)).all().get();
            } else {
                TopicEraser.empty(topic, admin);
            }
            if (!mishap.running()) {
                TopicProvisioner.provision(stage.config());
                instance = start(stage, model);
            }
            for (String line : mishap.said(topic)) {
                await(line)
                        .atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(lines)
                                .extracting(ILoggingEvent::getFormattedMessage)
                                .anySatisfy(said -> assertThat(said).contains(line)));
            }
            if (mishap.counted()) {
                Counter losses = stage.metrics(instance)
                        .get(TaggingMetric.LOST_TOPICS.id())
                        .tag("topic", topic)
                        .counter();
                await("the metric").atMost(PATIENCE).until(() -> losses.count() > 0);
            }
            if (mishap.lost() == Lost.LABELS) {
                stage.label("dog"); // as whoever imports the vocabulary again
            }
            submit(stage, "new-", "fake:dog+car+owl");
            model.letGo();
            awaitOutcomes(stage, "new-", 1);
            awaitOutcomes(stage, "waiting-", mishap.losesPending() ? 0 : 1);
            awaitOutcomes(stage, "known-", 1);

            stage.label("car");
            stage.flush();
            awaitLatest(stage, mishap, Set.of(), List.of("car", "dog"));
            awaitIdle(instance);
            Set<String> kept = followers(stage, "car");
            instance.close();

            Tagstream elsewhere = stage.start(model); // with a state directory of its own
            stage.label("owl");
            stage.flush();
            awaitLatest(stage, mishap, kept, List.of("car", "dog", "owl"));
            awaitIdle(elsewhere);
            assertThat(followers(stage, "owl"))
                    .as("they are known to other instances")
                    .isEqualTo(kept);
        }
    }

    @Test
    void shouldNameRecordsThatWereDeletedBeforeTheyWereRead() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(64, 5);
                Admin admin = admin()) {
            stage.label("dog");
            stage.flush();
            Tagstream instance = start(stage, model);
            stage.send(TagstreamConfig.IMAGES_TOPIC, 1, "first", reference(stage));
            stage.flush();
            stage.outcomes(all -> !all.isEmpty());
            instance.close();
            lines.clear();
            for (int image = 0; image < IMAGES; image++) {
                stage.send(TagstreamConfig.IMAGES_TOPIC, 1, "unread-" + image, reference(stage));
            }
            stage.flush();
            TopicEraser.empty(stage.topic(TagstreamConfig.IMAGES_TOPIC), admin);

            start(stage, model);
            submit(stage, "new-", "fake:dog");
            awaitOutcomes(stage, "new-", 1);
            assertThat(outcomes(stage)).hasSize(1 + IMAGES);
            assertThat(lines)
                    .filteredOn(line -> line.getLevel() == Level.ERROR)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .singleElement()
                    .asString()
                    .contains("Records of " + stage.topic(TagstreamConfig.IMAGES_TOPIC)
                            + "-1 were deleted before they were read: offsets 1 to 6.");
        }
    }

    private static byte[] reference(Stage stage) {
        return stage.contracts()
                .imageReference()
                .serializer()
                .serialize(
                        stage.topic(TagstreamConfig.IMAGES_TOPIC),
                        ImageReference.newBuilder().setUri("fake:dog").build());
    }

    @Test
    void shouldHaveARowForEachTopicInTheOperationsPage() throws Exception {
        String page = Files.readString(Path.of("..", "docs", "operations.md"));
        for (Lost lost : Lost.values()) {
            String name = lost.configured()
                    ? TagstreamConfig.definition()
                            .defaultValues()
                            .get(lost.name)
                            .toString()
                    : "…-" + lost.name + (lost.changelog() ? "-changelog" : "");
            assertThat(page.lines())
                    .as(name)
                    .anyMatch(line -> line.startsWith("| `") && line.split("\\|", -1)[1].contains("`" + name + "`"));
        }
    }

    private static void awaitIdle(Tagstream instance) {
        await("idle").atMost(PATIENCE).untilAsserted(() -> {
            assertThat(instance.tagging()).isEqualTo(TaggingHealth.well("idle"));
            assertThat(instance.notReadyBecause()).isEmpty();
            assertThat(instance.failure()).isNotDone();
        });
    }

    /** Waits until the latest tags of images are these, but for what is lost; {@code kept} are known nevertheless. */
    private static void awaitLatest(Stage stage, Mishap mishap, Set<String> kept, List<String> labels) {
        await(labels.toString()).atMost(PATIENCE).untilAsserted(() -> {
            Map<String, List<String>> latest = latest(stage);
            Map<String, List<String>> expected = new TreeMap<>();
            for (int image = 0; image < IMAGES; image++) {
                String known = "known-" + image;
                boolean undecided = mishap.mayKeepKnownImages() && kept.isEmpty();
                boolean follows = !mishap.losesKnownImages()
                        || kept.contains(known)
                        || (undecided && labels.equals(latest.get(known)));
                expected.put(known, follows ? labels : List.of("dog"));
                expected.put("new-" + image, labels);
                if (!mishap.losesPending()) {
                    expected.put("waiting-" + image, labels);
                }
            }
            assertThat(latest).isEqualTo(expected);
        });
    }

    /** The known images whose latest tags have a label. */
    private static Set<String> followers(Stage stage, String label) {
        Map<String, List<String>> latest = latest(stage);
        latest.entrySet()
                .removeIf(image -> !image.getKey().startsWith("known-")
                        || !image.getValue().contains(label));
        return latest.keySet();
    }

    private static Map<String, List<String>> latest(Stage stage) {
        Map<String, List<String>> latest = new TreeMap<>();
        outcomes(stage).forEach((image, tags) -> latest.put(image, tags.get(tags.size() - 1)));
        return latest;
    }

    private Stage stage() {
        return new Stage(
                cluster,
                state,
                TagstreamConfig.TOPICS_CHECK_MILLIS,
                300,
                TagstreamConfig.HEALTH_TAGGING_AFTER_MILLIS,
                60_000);
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()));
    }

    /** Every instance of a test has the same state directory, as after a restart. */
    private Tagstream start(Stage stage, FakeModelRuntime model) throws Exception {
        return stage.start(
                model, TagstreamConfig.STATE_DIR, state.resolve("one").toString());
    }

    private static void submit(Stage stage, String prefix, String uri) {
        for (int image = 0; image < IMAGES; image++) {
            stage.image(prefix + image, uri);
        }
        stage.flush();
    }

    /** Each image's outcomes in order, each as its labels. */
    private static Map<String, List<List<String>>> outcomes(Stage stage) {
        Map<String, List<List<String>>> outcomes = new TreeMap<>();
        for (Read<Object> read : stage.outcomes(all -> true)) {
            outcomes.computeIfAbsent(read.key(), key -> new ArrayList<>())
                    .add(((TagEvent) read.value())
                            .getTags().stream().map(Tag::getLabelId).sorted().toList());
        }
        return outcomes;
    }

    private static void awaitOutcomes(Stage stage, String prefix, int each) {
        await(prefix).atMost(PATIENCE).untilAsserted(() -> {
            Map<String, List<List<String>>> outcomes = outcomes(stage);
            for (int image = 0; image < IMAGES; image++) {
                assertThat(outcomes.getOrDefault(prefix + image, List.of()))
                        .as(prefix + image)
                        .hasSize(each)
                        .allMatch(tags -> tags.equals(List.of("dog")));
            }
        });
    }
}
