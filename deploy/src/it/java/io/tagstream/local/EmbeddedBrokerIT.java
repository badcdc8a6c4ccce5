/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
