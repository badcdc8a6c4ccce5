/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.ImageReference;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.Options;

/** State directories on disks that are full or cannot be written, and one that two processes share. */
@InFull
class StateDiskIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String READY = "Tagging; vocabulary epoch ";
    private static final int IMAGES = 40;

    private static TestCluster cluster;

    @TempDir
    Path directory;

    /** Writes to the disk early, as a process does whose stores are large. */
    public static final class SmallWriteBuffers implements RocksDBConfigSetter {
        @Override
        public void setConfig(String store, Options options, Map<String, Object> settings) {
            options.setWriteBufferSize(64 * 1024);
        }

        @Override
        public void close(String store, Options options) {}
    }

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = TestCluster.start();
    }

    @AfterAll
    static void stopCluster() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void shouldRefuseTheDirectoryOfARunningInstance() throws Exception {
        String file = configuration("shared").toString();
        try (CommandProcess first = CommandProcess.start("run", "--config", file)) {
            first.awaitNote(READY);
            Run second = CommandProcess.run("run", "--config", file);
            assertThat(second.exitCode()).as(second.errors()).isEqualTo(1);
            assertThat(second.errors())
                    .contains("tagstream: state directory " + state(), "is in use by another instance", "state.dir")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void shouldRefuseADirectoryThatCannotBeWritten() throws Exception {
        String file = configuration("read-only").toString();
        Files.createDirectory(state());
        List<String> readOnly = OwnMounts.program(
                "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"", state());
        try (CommandProcess run = CommandProcess.startUnder(readOnly, "run", "--config", file)) {
            Run refused = run.awaitEnd();
            assertThat(refused.exitCode()).as(refused.errors()).isEqualTo(1);
            assertThat(refused.errors())
                    .contains("tagstream: state directory " + state() + " cannot be used: Read-only file system")
                    .contains("make the directory readable and writable", "state.dir")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void shouldRefuseTheDataDirectoryOfAnotherLocalRun() throws Exception {
        String data = directory.resolve("data").toString();
        String samples = CommandProcess.SAMPLES.toString();
        try (CommandProcess first = CommandProcess.start("local", samples, "--data-dir", data)) {
            first.awaitNote("Watching ");
            Run second = CommandProcess.run("local", samples, "--once", "--data-dir", data);
            assertThat(second.exitCode()).as(second.errors()).isEqualTo(1);
            assertThat(second.errors())
                    .contains("The data directory " + data, "is in use by process ", "choose another directory")
                    .doesNotContain("\tat ");
        }
    }

    /** A supervisor restarts the process, in vain until there is room again. */
    @Test
    void shouldEndWhileTheDiskIsFullAndGoOnOnceThereIsRoom() throws Exception {
        String file = configuration("full").toString();
        Files.createDirectory(state());
        List<String> supervised = OwnMounts.program(
                "mount -t tmpfs -o size=24m state \"$0\" || exit;"
                        + " until \"$@\"; do echo \"the process ended with $?\" >&2; sleep 1; done",
                state());
        String full = "the disk of state directory " + state() + " is full";
        try (CommandProcess run = CommandProcess.startUnder(supervised, "run", "--config", file);
                SchemaRegistry registry =
                        SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()))) {
            Contracts contracts = new Contracts(registry);
            run.awaitNote(READY);
            send(contracts, 0, 1);
            assertThat(tagged(1)).containsExactly("image-0");

            Path filler = run.seen(state()).resolve("filler");
            fill(filler);
            send(contracts, 1, IMAGES);
            run.awaitNote("tagging has stopped for good: " + full);
            run.awaitNote("the process ended with 1");
            fill(filler); // with what the process has deleted at its end
            run.awaitNote("tagstream: " + full); // the next start

            Files.delete(filler);
            List<String> everyImage = IntStream.range(0, IMAGES)
                    .mapToObj(image -> "image-" + image)
                    .toList();
            assertThat(tagged(IMAGES)).containsExactlyInAnyOrderElementsOf(everyImage);
        }
    }

    @Test
    void shouldEndLocalWhileItsDiskIsFullAndGoOnOnceThereIsRoom() throws Exception {
        Path data = Files.createDirectory(directory.resolve("data"));
        Path photos = Files.createDirectory(directory.resolve("photos"));
        Files.copy(CommandProcess.SAMPLES.resolve("cat.jpg"), photos.resolve("first.jpg"));
        List<String> supervised = OwnMounts.program(
                "mount -t tmpfs -o size=96m data \"$0\" || exit;"
                        + " until \"$@\"; do echo \"the process ended with $?\" >&2; sleep 1; done",
                data);
        String full = "disk of data directory " + data.resolve("kafka") + " is full: free some room";
        try (CommandProcess local =
                CommandProcess.startUnder(supervised, "local", photos.toString(), "--data-dir", data.toString())) {
            local.awaitLine("first.jpg  cat ");
            Path filler = local.seen(data).resolve("filler");
            fill(filler);
            Files.copy(CommandProcess.SAMPLES.resolve("cat.jpg"), photos.resolve("second.jpg"));
            local.awaitNote("Kafka has ended the process; the " + full);
            local.awaitNote("the process ended with 1");
            fill(filler);
            local.awaitNote("tagstream: The " + full); // the next start

            Files.delete(filler);
            local.awaitLine("second.jpg  cat ");
        }
    }

    private static void fill(Path filler) {
        assertThatThrownBy(() -> {
                    try (OutputStream file =
                            Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                        while (true) {
                            file.write(new byte[4096]);
                        }
                    }
                })
                .isInstanceOf(IOException.class)
                .hasMessage("No space left on device");
    }

    private Path state() {
        return directory.resolve("state");
    }

    private Path configuration(String name) throws IOException {
        return Files.write(
                directory.resolve("tagstream.properties"),
                List.of(
                        "bootstrap.servers = " + cluster.bootstrapServers(),
                        "schema.registry.url = " + cluster.registryUrl(),
                        "application.id = " + name,
                        "state.dir = " + state(),
                        "topics.partitions = 1",
                        "kafka.rocksdb.config.setter = " + SmallWriteBuffers.class.getName(),
                        "fetch.file.roots = " + CommandProcess.SAMPLES.toAbsolutePath()));
    }

    private static void send(Contracts contracts, int from, int to) throws Exception {
        ImageReference photo = ImageReference.newBuilder()
                .setUri(CommandProcess.SAMPLES.resolve("cat.jpg").toUri().toString())
                .build();
        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer())) {
            for (int image = from; image < to; image++) {
                byte[] value = contracts.imageReference().serializer().serialize("images", photo);
                producer.send(new ProducerRecord<>("images", "image-" + image, value))
                        .get();
            }
        }
    }

    /** The images of the committed records of the tags topic, once there are {@code count}. */
    private static List<String> tagged(int count) {
        Map<String, Object> settings = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                cluster.bootstrapServers(),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition("tags", 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            List<String> found = new ArrayList<>();
            Awaitility.await().atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(each -> found.add(each.key()));
                return found.size() >= count;
            });
            return found;
        }
    }
}
