/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.it.InFull;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The container image with a real cluster, the real model, and no more rights than it needs. */
@InFull
class ImageIT {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    /** As long as the process takes at most; a busy machine needs more than ten seconds. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private static final int TERMINATED = 143;
    private static final int HEAP_FULL = 3;

    /** In MiB: enough for small images, too little for one of 95 megapixels. */
    private static final int LITTLE_MEMORY = 896;

    private static final String NO_VOCABULARY = "Images wait for the vocabulary";
    private static final String TAGGING = "Tagging; vocabulary epoch";

    private TestCluster cluster;
    private SchemaRegistry registry;
    private Contracts contracts;

    @BeforeEach
    void startCluster() throws IOException {
        cluster = TestCluster.start();
        registry = SchemaRegistries.connect(Map.of(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()));
        contracts = new Contracts(registry);
    }

    @AfterEach
    void stopCluster() throws IOException {
        registry.close();
        cluster.close();
    }

    @Test
    void shouldTagWithoutRightsAndStopInAnOrderlyWay() throws Exception {
        try (ImageContainer container = ImageContainer.run(cluster, NO_VOCABULARY)) {
            sendCat();
            send(ids("image", 1));

            assertThat(tags(1))
                    .singleElement()
                    .satisfies(event -> assertThat(event.getTags())
                            .extracting(Tag::getLabelId)
                            .containsExactly("cat"));
            assertThat(container.run("/opt/tagstream/bin/healthy")).isZero();
            assertThat(container.run("/opt/tagstream/bin/healthy", "ready")).isZero();
            assertThat(container.run("/bin/bash", "-c", "[ $UID = 65532 ] && [ ! -w /opt/tagstream/lib ]"))
                    .isZero();
            assertThat(container.log()).containsPattern("1536 MiB of memory: heap up to 3\\d\\d MiB.*Serial collector");

            assertThat(container.stop(GRACE)).as(container.log()).isEqualTo(TERMINATED);
            assertThat(container.log()).contains("Stopped").doesNotContain("ERROR", "Exception");
        }
    }

    @Test
    void shouldFailOnlyTheImageThatThereIsNoMemoryFor() throws Exception {
        try (ImageContainer container = ImageContainer.run(cluster, NO_VOCABULARY, LITTLE_MEMORY, Map.of())) {
            sendCat();
            send(ids("before", 4));
            String huge = Base64.getEncoder().encodeToString(HugePng.inColour(9_500, 10_000));
            send(List.of("huge"), "data:image/png;base64," + huge);
            send(ids("after", 4));

            assertThat(tags(8)).hasSize(8);
            Awaitility.await("the image fails")
                    .atMost(PATIENCE)
                    .until(() -> container.metric("tagstream_tagging_outcomes_images_total{outcome=\"failed\"") == 1);
            assertThat(container.log()).contains("PNG bytes: signal 9");
            assertThat(container.stop(GRACE)).as(container.log()).isEqualTo(TERMINATED);
        }
    }

    @Test
    void shouldEndClearlyWhenTheHeapIsFull() throws Exception {
        try (ImageContainer container = ImageContainer.run(
                cluster,
                "Terminating due to java.lang.OutOfMemoryError",
                LITTLE_MEMORY,
                Map.of("TAGSTREAM_JAVA_OPTS", "-Xmx48m"))) {
            assertThat(container.awaitEnd()).isEqualTo(HEAP_FULL);
        }
    }

    @Test
    void shouldTagEveryImageOnceThoughItIsKilledAndStartedAgain() throws Exception {
        try (ImageContainer container = ImageContainer.run(cluster, NO_VOCABULARY)) {
            sendCat();
            send(ids("before", 200));
            tags(1);
            container.kill();
            send(ids("after", 20));
            container.startAgain();

            assertThat(tags(220))
                    .hasSize(220)
                    .allSatisfy(event -> assertThat(event.getTags())
                            .extracting(Tag::getLabelId)
                            .containsExactly("cat"));
        }
    }

    @Test
    void shouldShareTheWorkWithASecondContainer() throws Exception {
        try (ImageContainer first = ImageContainer.run(cluster, NO_VOCABULARY)) {
            sendCat();
            send(ids("alone", 1));
            tags(1);
            List<String> sent = new ArrayList<>(List.of("alone-0"));
            try (ImageContainer second = ImageContainer.run(cluster, TAGGING)) {
                Awaitility.await("both tag")
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofSeconds(1))
                        .until(() -> {
                            List<String> more = ids("shared-" + sent.size(), 8);
                            send(more);
                            sent.addAll(more);
                            return tagged(first) > 1 && tagged(second) > 0;
                        });

                assertThat(tags(sent.size())).hasSize(sent.size());
                assertThat(second.stop(GRACE)).as(second.log()).isEqualTo(TERMINATED);
            }
            List<String> afterwards = ids("alone-again", 8);
            send(afterwards);
            sent.addAll(afterwards);
            assertThat(tags(sent.size())).hasSize(sent.size());
        }
    }

    private static double tagged(ImageContainer container) throws IOException, InterruptedException {
        return container.metric("tagstream_tagging_outcomes_images_total{outcome=\"tagged\"");
    }

    private static List<String> ids(String name, int count) {
        return IntStream.range(0, count).mapToObj(i -> name + "-" + i).toList();
    }

    private void sendCat() throws Exception {
        Label cat = Label.newBuilder().setName("cat").build();
        try (KafkaProducer<String, byte[]> producer = producer()) {
            producer.send(new ProducerRecord<>(
                            "label-vocabulary",
                            "cat",
                            contracts.label().serializer().serialize("label-vocabulary", cat)))
                    .get();
        }
    }

    private void send(List<String> ids) throws Exception {
        send(ids, "file:" + ImageContainer.SAMPLES + "/cat.jpg");
    }

    private void send(List<String> ids, String uri) throws Exception {
        ImageReference photo = ImageReference.newBuilder().setUri(uri).build();
        byte[] value = contracts.imageReference().serializer().serialize("images", photo);
        try (KafkaProducer<String, byte[]> producer = producer()) {
            List<Future<RecordMetadata>> sent = ids.stream()
                    .map(id -> producer.send(new ProducerRecord<>("images", id, value)))
                    .toList();
            for (Future<RecordMetadata> record : sent) {
                record.get();
            }
        }
    }

    private KafkaProducer<String, byte[]> producer() {
        return new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    /** All committed tag events, once there are at least this many; fails if an image has two. */
    private List<TagEvent> tags(int atLeast) {
        Map<String, Object> settings = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                cluster.bootstrapServers(),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed");
        try (KafkaConsumer<String, TagEvent> consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), contracts.tagEvent().deserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("tags").stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            List<String> ids = new ArrayList<>();
            List<TagEvent> events = new ArrayList<>();
            Awaitility.await(atLeast + " tag events").atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(event -> {
                    ids.add(event.key());
                    events.add(event.value());
                });
                return events.size() >= atLeast;
            });
            assertThat(ids).doesNotHaveDuplicates();
            return events;
        }
    }
}
