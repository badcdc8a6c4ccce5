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
import io.micrometer.core.instrument.Gauge;
import io.tagstream.avro.ImageReference;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.topology.SteeredClients.Fault;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingMetric;
import io.tagstream.topology.waits.TaggingHealth;
import io.tagstream.topology.waits.WaitReason;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Each reason for which images wait, brought about on a real broker: health, the metric and the log give it, with what
 * to do, and stop once the cause is mended.
 */
@InFull
class TaggingHealthIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Object[] SOON = {
        TagstreamConfig.HEALTH_TAGGING_AFTER_MILLIS, 2_000, TagstreamConfig.IMAGES_REPARTITION, false
    };

    private static TestCluster cluster;

    /** The reason that a test brings about. */
    @Retention(RetentionPolicy.RUNTIME)
    private @interface Drives {
        WaitReason value();
    }

    @TempDir
    private Path state;

    private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent line) {
            lines.add(line);
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
        waitsLog().setLevel(Level.INFO);
        waitsLog().addAppender(appender);
    }

    @AfterEach
    void leaveTheLog() {
        waitsLog().detachAppender(appender);
        waitsLog().setLevel(null); // its parent's
    }

    private static Logger waitsLog() {
        return (Logger) LoggerFactory.getLogger("io.tagstream.topology.waits");
    }

    private Stage stage() {
        return new Stage(cluster, state, SOON);
    }

    /** Sends images to all partitions. */
    private static void images(Stage stage, String uri) {
        for (int partition = 0; partition < 3; partition++) {
            stage.send(TagstreamConfig.IMAGES_TOPIC, partition, "image-" + partition, reference(stage, uri));
        }
        stage.flush();
    }

    private static byte[] reference(Stage stage, String uri) {
        return stage.contracts()
                .imageReference()
                .serializer()
                .serialize(
                        stage.topic(TagstreamConfig.IMAGES_TOPIC),
                        ImageReference.newBuilder().setUri(uri).build());
    }

    private void awaitWaits(Stage stage, Tagstream instance, WaitReason reason) {
        await(reason.name()).dontCatchUncaughtExceptions().atMost(PATIENCE).untilAsserted(() -> {
            TaggingHealth health = instance.tagging();
            assertThat(health.text()).contains("(" + reason + ")", reason.remedy(), "have waited for ");
            assertThat(health.text().contains("without any coming out"))
                    .as("said only if it is sure")
                    .isNotEqualTo(reason == WaitReason.REGISTRY_AWAY);
            assertThat(health.healthy()).isFalse();
            assertThat(partitions(stage, instance, reason)).isPositive();
            assertThat(lines)
                    .filteredOn(line -> line.getLevel() == Level.WARN)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .anySatisfy(line -> assertThat(line).contains("(" + reason + ")", reason.remedy()));
        });
    }

    private void awaitMended(Stage stage, Tagstream instance, WaitReason reason) {
        await("idle")
                .dontCatchUncaughtExceptions()
                .atMost(PATIENCE)
                .until(() -> instance.tagging().equals(TaggingHealth.well("idle")));
        assertThat(partitions(stage, instance, reason)).isZero();
        assertThat(lines)
                .extracting(ILoggingEvent::getFormattedMessage)
                .anySatisfy(line -> assertThat(line).contains("stopped waiting"));
    }

    private static double partitions(Stage stage, Tagstream instance, WaitReason reason) {
        return stage
                .metrics(instance)
                .get(TaggingMetric.WAITING_PARTITIONS.id())
                .tag("reason", reason.name())
                .gauges()
                .stream()
                .mapToDouble(Gauge::value)
                .sum();
    }

    private static double missingTopics(Stage stage, Tagstream instance) {
        return stage.metrics(instance)
                .get(TaggingMetric.MISSING_TOPICS.id())
                .gauge()
                .value();
    }

    @Test
    void shouldDriveEveryReason() {
        assertThat(Arrays.stream(getClass().getDeclaredMethods())
                        .map(TaggingHealthIT::driven)
                        .filter(Objects::nonNull))
                .containsExactlyInAnyOrder(WaitReason.values());
    }

    private static WaitReason driven(Method test) {
        Drives drives = test.getAnnotation(Drives.class);
        return drives == null ? null : drives.value();
    }

    @Test
    @Drives(WaitReason.VOCABULARY_NOT_ENCODED)
    void shouldSayThatTheVocabularyIsNotEncoded() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            stage.label("hang:dog");
            stage.flush();
            Tagstream instance = stage.startUnready(model);
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.VOCABULARY_NOT_ENCODED);
            assertThat(instance.ready()).isFalse();

            model.letGo();
            awaitMended(stage, instance, WaitReason.VOCABULARY_NOT_ENCODED);
        }
    }

    @Test
    @Drives(WaitReason.VOCABULARY_BEHIND)
    void shouldSayThatTheVocabularyIsBehind() throws Exception {
        LaggingVocabulary clients = new LaggingVocabulary();
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            stage.label("dog");
            stage.flush();
            Tagstream behind = stage.start(model, clients);
            Tagstream ahead = stage.start(model);
            clients.lag(true);
            stage.label("heron");
            stage.flush();
            await().atMost(PATIENCE).until(() -> ahead.vocabularyEpoch() > behind.vocabularyEpoch());
            images(stage, "fake:heron");
            stage.outcomes(all -> all.size() >= 3);

            ahead.close(); // its tasks move to the instance that is behind
            images(stage, "fake:dog");
            awaitWaits(stage, behind, WaitReason.VOCABULARY_BEHIND);
            assertThat(behind.ready()).isTrue();

            clients.lag(false);
            awaitMended(stage, behind, WaitReason.VOCABULARY_BEHIND);
        }
    }

    @Test
    @Drives(WaitReason.OTHER_MODEL)
    void shouldSayThatAnotherBundleIsInForce() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime everyday =
                        FakeModelRuntime.completing(FakeModelRuntime.describe("everyday", "1", 5, "text"), 8, 1);
                FakeModelRuntime clip =
                        FakeModelRuntime.completing(FakeModelRuntime.describe("clip", "1", 1, "text"), 8, 1)) {
            stage.label("dog");
            stage.flush();
            Tagstream first = stage.start(everyday);
            images(stage, "fake:dog");
            stage.outcomes(all -> all.size() >= 3);
            first.close();

            Tagstream other = stage.start(clip);
            images(stage, "fake:dog");
            awaitWaits(stage, other, WaitReason.OTHER_MODEL);
            assertThat(other.ready()).isTrue();

            stage.use(clip);
            stage.outcomes(all -> all.size() >= 6);
            await().atMost(PATIENCE).until(() -> other.tagging().equals(TaggingHealth.well("idle")));
        }
    }

    @Test
    @Drives(WaitReason.REGISTRY_AWAY)
    void shouldSayThatTheRegistryIsAway() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            PoisonIT.UnreachableRegistry registry =
                    new PoisonIT.UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
            stage.send(TagstreamConfig.IMAGES_TOPIC, "image", PoisonIT.ofAnotherSchema(stage));
            awaitWaits(stage, instance, WaitReason.REGISTRY_AWAY);

            registry.answer();
            awaitMended(stage, instance, WaitReason.REGISTRY_AWAY);
        }
    }

    @Test
    void shouldSayThatTheRegistryIsAwayForARecordThatIsTooLargeToBeKept() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            PoisonIT.UnreachableRegistry registry =
                    new PoisonIT.UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
            stage.send(TagstreamConfig.IMAGES_TOPIC, "image", PoisonIT.ofAnotherSchema(stage, PoisonIT.LARGEST_URI));
            awaitWaits(stage, instance, WaitReason.REGISTRY_AWAY);

            registry.answer();
            awaitMended(stage, instance, WaitReason.REGISTRY_AWAY);
        }
    }

    @Test
    void shouldSayThatChangesOfLabelsWaitForTheRegistryWhileImagesAreTagged() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            stage.label("dog");
            stage.flush();
            PoisonIT.UnreachableRegistry registry =
                    new PoisonIT.UnreachableRegistry(stage.registry(), Integer.MAX_VALUE);
            Tagstream instance = stage.start(model, registry, new DefaultKafkaClientSupplier());
            long epoch = instance.vocabularyEpoch();
            // a schema that is unknown here and turns out to be no label's
            stage.send(TagstreamConfig.LABELS_TOPIC, "heron", PoisonIT.ofAnotherSchema(stage));
            stage.label("cat");
            stage.flush();
            await("a change that waits").atMost(PATIENCE).untilAsserted(() -> {
                assertThat(instance.tagging().text())
                        .contains(
                                "; changes of labels wait (REGISTRY_AWAY): ",
                                "no answer",
                                WaitReason.REGISTRY_AWAY.remedy());
                assertThat(waitingLabels(stage, instance)).isEqualTo(2);
            });
            assertThat(instance.ready()).as("no thread dies").isTrue();
            images(stage, "fake:dog+cat");
            assertThat(stage.outcomes(all -> all.size() >= 3)).hasSize(3);
            assertThat(instance.tagging().healthy()).isTrue();
            assertThat(instance.vocabularyEpoch()).isEqualTo(epoch);
            assertThat(lines)
                    .filteredOn(line -> line.getFormattedMessage().startsWith("Changes of labels wait"))
                    .singleElement()
                    .satisfies(line -> assertThat(line.getLevel()).isEqualTo(Level.WARN));

            registry.answer();
            await("the changes").atMost(PATIENCE).until(() -> instance.vocabularyEpoch() > epoch);
            await("idle").atMost(PATIENCE).until(() -> instance.tagging().equals(TaggingHealth.well("idle")));
            assertThat(waitingLabels(stage, instance)).isZero();
            assertThat(instance.vocabularySize()).isEqualTo(2);
        }
    }

    private static double waitingLabels(Stage stage, Tagstream instance) {
        return stage.metrics(instance)
                .get(TaggingMetric.WAITING_LABELS.id())
                .gauge()
                .value();
    }

    @Test
    @Drives(WaitReason.TOPIC_MISSING)
    void shouldSayThatATopicIsMissing() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            Tagstream instance =
                    stage.start(model, TagstreamConfig.TOPICS_CREATE, false, TagstreamConfig.TOPICS_CHECK_MILLIS, 300);
            admin.deleteTopics(List.of(stage.topic(TagstreamConfig.TAGS_TOPIC)))
                    .all()
                    .get();
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.TOPIC_MISSING);
            assertThat(instance.ready()).isFalse();
            assertThat(missingTopics(stage, instance)).isOne();

            TopicProvisioner.provision(stage.config());
            awaitMended(stage, instance, WaitReason.TOPIC_MISSING);
            assertThat(missingTopics(stage, instance)).isZero();
            assertThat(stage.outcomes(all -> all.size() >= 3))
                    .extracting(Stage.Read::key)
                    .containsOnly("image-0", "image-1", "image-2");
        }
    }

    @Test
    @Drives(WaitReason.NO_ROOM)
    void shouldSayThatThereIsNoRoom() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model, TagstreamConfig.TASK_PENDING_MAX, 1);
            images(stage, "hang:dog");
            awaitWaits(stage, instance, WaitReason.NO_ROOM);

            model.letGo();
            awaitMended(stage, instance, WaitReason.NO_ROOM);
        }
    }

    @Test
    @Drives(WaitReason.SLOW_IMAGES)
    void shouldSayThatImagesAreSlow() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model);
            images(stage, "hang:dog");
            awaitWaits(stage, instance, WaitReason.SLOW_IMAGES);
            assertThat(instance.ready()).isTrue();

            model.letGo();
            awaitMended(stage, instance, WaitReason.SLOW_IMAGES);
        }
    }

    @Test
    @Drives(WaitReason.RESTORING)
    void shouldSayThatStateIsBeingRestored() throws Exception {
        SteeredClients clients = new SteeredClients().suffering(Fault.NO_STATE);
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream first = stage.start(model);
            images(stage, "fake:dog");
            stage.outcomes(all -> all.size() >= 3);
            first.close();

            Tagstream second = stage.startUnready(model, clients);
            images(stage, "fake:dog");
            awaitWaits(stage, second, WaitReason.RESTORING);
            assertThat(second.ready()).as("alive and not ready").isFalse();
            assertThat(second.failure()).isNotDone();

            clients.mend();
            awaitMended(stage, second, WaitReason.RESTORING);
            assertThat(second.ready()).isTrue();
        }
    }

    @Test
    @Drives(WaitReason.REBALANCING)
    void shouldSayThatNoInstanceHasAPartition() throws Exception {
        SteeredClients clients = new SteeredClients().suffering(Fault.NO_INPUT);
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.startUnready(model, clients);
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.REBALANCING);

            clients.mend();
            awaitMended(stage, instance, WaitReason.REBALANCING);
        }
    }

    @Test
    @Drives(WaitReason.THREAD_FAILED)
    void shouldSayThatAThreadHasFailed() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model, clients);
            clients.suffering(Fault.REFUSED_SENDS);
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.THREAD_FAILED);

            clients.mend();
            awaitMended(stage, instance, WaitReason.THREAD_FAILED);
        }
    }

    @Test
    @Drives(WaitReason.FENCED)
    void shouldSayThatATransactionWasFenced() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model, clients);
            clients.suffering(Fault.LATE_COMMITS);
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.FENCED);

            clients.mend();
            awaitMended(stage, instance, WaitReason.FENCED);
        }
    }

    @Test
    @Drives(WaitReason.TRANSACTION_OPEN)
    void shouldSayThatATransactionIsOpen() throws Exception {
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1);
                KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                cluster.bootstrapServers(),
                                ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                                "an upload service"),
                        new StringSerializer(),
                        new ByteArraySerializer())) {
            Tagstream instance = stage.start(model);
            producer.initTransactions();
            producer.beginTransaction();
            var unused = producer.send(new ProducerRecord<>(
                    stage.topic(TagstreamConfig.IMAGES_TOPIC), "uncommitted", reference(stage, "fake:dog")));
            producer.flush();
            awaitWaits(stage, instance, WaitReason.TRANSACTION_OPEN);

            producer.abortTransaction();
            awaitMended(stage, instance, WaitReason.TRANSACTION_OPEN);
        }
    }

    @Test
    @Drives(WaitReason.KAFKA_AWAY)
    void shouldSayThatTheClusterIsAway() throws Exception {
        TestCluster own = TestCluster.start();
        boolean away = false;
        try (Stage stage = new Stage(own, state, SOON);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model);
            own.close();
            away = true;
            awaitWaits(stage, instance, WaitReason.KAFKA_AWAY);
        } finally {
            if (!away) {
                own.close();
            }
        }
    }

    @Test
    @Drives(WaitReason.UNEXPLAINED)
    void shouldSayThatNothingKnownIsInTheWay() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model, clients);
            clients.suffering(Fault.NO_INPUT);
            images(stage, "fake:dog");
            awaitWaits(stage, instance, WaitReason.UNEXPLAINED);

            clients.mend();
            awaitMended(stage, instance, WaitReason.UNEXPLAINED);
        }
    }

    @Test
    @Drives(WaitReason.THREAD_BUSY)
    void shouldSayThatTheThreadIsBusyWithOtherPartitions() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = stage();
                FakeModelRuntime model = FakeModelRuntime.completing(1_000, 1)) {
            Tagstream instance = stage.start(model, clients);
            clients.suffering(Fault.SLOW_SENDS);
            for (int image = 0; image < 2_000; image++) {
                stage.send(TagstreamConfig.IMAGES_TOPIC, 0, "many-" + image, reference(stage, "fake:dog"));
            }
            stage.flush();
            await("its images")
                    .atMost(PATIENCE)
                    .until(() -> stage.metrics(instance)
                                    .get(TaggingMetric.PENDING.id())
                                    .gauge()
                                    .value()
                            > 0);
            stage.send(TagstreamConfig.IMAGES_TOPIC, 1, "one", reference(stage, "fake:dog"));
            stage.flush();
            awaitWaits(stage, instance, WaitReason.THREAD_BUSY);
            assertThat(instance.tagging().text()).contains("images of partition 1 of");
            assertThat(instance.ready()).isTrue();

            clients.mend();
            awaitMended(stage, instance, WaitReason.THREAD_BUSY);
        }
    }

    @Test
    void shouldFindThatImagesWaitForReKeyingToo() throws Exception {
        SteeredClients clients = new SteeredClients();
        try (Stage stage = new Stage(cluster, state, TagstreamConfig.HEALTH_TAGGING_AFTER_MILLIS, 2_000);
                FakeModelRuntime model = FakeModelRuntime.completing(8, 1)) {
            Tagstream instance = stage.start(model, clients);
            images(stage, "fake:dog");
            stage.outcomes(all -> all.size() >= 3);
            await().atMost(PATIENCE).until(() -> instance.tagging().equals(TaggingHealth.well("idle")));

            images(stage, "hang:dog");
            awaitWaits(stage, instance, WaitReason.SLOW_IMAGES);
            assertThat(instance.tagging().text()).contains("-images-repartition have waited");

            model.letGo();
            awaitMended(stage, instance, WaitReason.SLOW_IMAGES);
        }
    }
}
