/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.tagstream.it.InRun;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@InRun
class EmbeddedBrokerIT {
    private static final String TOPIC = "topic";

    @TempDir
    Path directory;

    @Test
    void shouldGoOnFromItsDirectoryOnTheSamePort() throws Exception {
        String bootstrapServers;
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            bootstrapServers = broker.bootstrapServers();
            createTopic(bootstrapServers);
            produceInTransaction(bootstrapServers, "none", "first");
        }
        int port = URI.create("kafka://" + bootstrapServers).getPort();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, port)) {
            assertThat(broker.bootstrapServers()).isEqualTo(bootstrapServers);

            produceInTransaction(bootstrapServers, "none", "second");

            assertThat(consume(bootstrapServers, 2)).containsExactly("first", "second");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "snappy", "lz4", "zstd"})
    void shouldTakeEveryCompression(String compression) throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            createTopic(broker.bootstrapServers());

            produceInTransaction(broker.bootstrapServers(), compression, "compressed ".repeat(100));

            assertThat(consume(broker.bootstrapServers(), 1)).containsExactly("compressed ".repeat(100));
        }
    }

    @Test
    void shouldNameThePortThatIsInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();

            assertThatThrownBy(() -> EmbeddedBroker.start(directory, port))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("Port " + port)
                    .hasMessageContaining("Kafka broker")
                    .hasMessageContaining("choose another port");
        }
        EmbeddedBroker.start(directory, 0).close();
    }

    @Test
    void shouldRefuseADirectoryInUseByThisProcess() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
        try (broker) {
            assertThatThrownBy(() -> EmbeddedBroker.start(directory, 0))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(directory.toString())
                    .hasMessageContaining("in use");
        }
        broker.close();
        EmbeddedBroker.start(directory, 0).close();
    }

    @Test
    void shouldRefuseADirectoryInUseByAnotherProcess() throws Exception {
        Process other = fork(LockHolder.class);
        try {
            assertThat(other.inputReader().readLine()).isEqualTo("locked");

            assertThatThrownBy(() -> EmbeddedBroker.start(directory, 0))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("process " + other.pid())
                    .hasMessageContaining("choose another directory");
        } finally {
            other.destroyForcibly();
            assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        EmbeddedBroker.start(directory, 0).close();
    }

    /** Starts another process on the directory. */
    private Process fork(Class<?> main) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void shouldGoOnAfterItWasKilled() throws Exception {
        Process killed = fork(BrokerHolder.class);
        String bootstrapServers;
        try {
            bootstrapServers = killed.inputReader().readLine();
            createTopic(bootstrapServers);
            produceInTransaction(bootstrapServers, "none", "first");
        } finally {
            killed.destroyForcibly();
            assertThat(killed.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        int port = URI.create("kafka://" + bootstrapServers).getPort();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, port)) {
            produceInTransaction(broker.bootstrapServers(), "none", "second");

            assertThat(consume(broker.bootstrapServers(), 2)).containsExactly("first", "second");
        }
    }

    /** Runs a broker until it is killed. */
    static final class BrokerHolder {
        public static void main(String[] arguments) throws Exception {
            try (EmbeddedBroker broker = EmbeddedBroker.start(Path.of(arguments[0]), 0)) {
                System.out.println(broker.bootstrapServers());
                new CountDownLatch(1).await();
            }
        }
    }

    /** Holds a directory's lock until it is killed. */
    static final class LockHolder {
        public static void main(String[] arguments) throws Exception {
            try (DirectoryLock lock = DirectoryLock.acquire(Path.of(arguments[0]))) {
                System.out.println("locked");
                new CountDownLatch(1).await();
            }
        }
    }

    @Test
    void shouldHaveATransactionWaitForTheEndOfTheOneBefore() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
                KafkaProducer<String, String> producer = new KafkaProducer<>(
                        Map.of(
                                "bootstrap.servers",
                                broker.bootstrapServers(),
                                "transactional.id",
                                "test",
                                "batch.size",
                                0), // one request per record, so that several are in flight at a time
                        new StringSerializer(),
                        new StringSerializer());
                LoggedErrors logged = new LoggedErrors()) {
            createTopic(broker.bootstrapServers());
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(TOPIC, "before")).get(30, TimeUnit.SECONDS);
            // To end a transaction, the broker opens a connection to itself, which now has to wait.
            limitConnections(admin, 1);
            producer.commitTransaction();

            producer.beginTransaction();
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int record = 0; record < 20; record++) {
                sent.add(producer.send(new ProducerRecord<>(TOPIC, "after " + record)));
            }
            long heldBack = System.nanoTime() + Duration.ofSeconds(1).toNanos(); // Kafka's default allows 100 ms
            await().until(() -> refused(producer) > 0 || System.nanoTime() > heldBack);
            limitConnections(admin, Integer.MAX_VALUE);
            producer.commitTransaction();

            assertThat(sent).allMatch(Future::isDone);
            assertThat(logged.lines()).isEmpty();
            assertThat(refused(producer)).as("requests refused").isZero();
            assertThat(consume(broker.bootstrapServers(), 21)).hasSize(21).endsWith("after 18", "after 19");
        }
    }

    private static void limitConnections(Admin admin, int most) throws Exception {
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        String key = "listener.name.plaintext.max.connections";
        ConfigEntry limit = new ConfigEntry(key, String.valueOf(most));
        admin.incrementalAlterConfigs(Map.of(broker, List.of(new AlterConfigOp(limit, AlterConfigOp.OpType.SET))))
                .all()
                .get(30, TimeUnit.SECONDS);
        await().until(() ->
                admin.describeConfigs(List.of(broker)).all().get(30, TimeUnit.SECONDS).get(broker).entries().stream()
                        .anyMatch(entry ->
                                entry.name().equals(key) && entry.value().equals(limit.value())));
    }

    /** Requests that the producer had to send again. */
    private static double refused(KafkaProducer<?, ?> producer) {
        return producer.metrics().values().stream()
                .filter(metric -> metric.metricName().name().equals("record-retry-total")
                        && metric.metricName().group().equals("producer-metrics"))
                .mapToDouble(metric -> (double) metric.metricValue())
                .sum();
    }

    /** The errors that this process logs, including those from Kafka. */
    private static final class LoggedErrors extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private final Logger root = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT");
        private final List<String> lines = new CopyOnWriteArrayList<>();

        LoggedErrors() {
            setContext(root.getLoggerContext());
            start();
            root.addAppender(this);
        }

        List<String> lines() {
            return lines;
        }

        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
                lines.add(event.getFormattedMessage());
            }
        }

        @Override
        public void close() {
            root.detachAppender(this);
            stop();
        }
    }

    @Test
    void shouldNameADirectoryThatCannotBeUsed() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        assertThatThrownBy(() -> EmbeddedBroker.start(file, 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("choose a directory");
    }

    private static void createTopic(String bootstrapServers) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Optional.of(1), Optional.empty())))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static void produceInTransaction(String bootstrapServers, String compression, String value) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers", bootstrapServers,
                        "transactional.id", "test",
                        "compression.type", compression),
                new StringSerializer(),
                new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            Future<RecordMetadata> sent = producer.send(new ProducerRecord<>(TOPIC, value));
            producer.commitTransaction();
            assertThat(sent).isDone();
        }
    }

    private static List<String> consume(String bootstrapServers, int count) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", bootstrapServers,
                        "isolation.level", "read_committed",
                        "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(List.of(new TopicPartition(TOPIC, 0)));
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (values.size() < count && System.nanoTime() < deadline) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }
}
