/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.cluster.topics.TopicScan;
import io.tagstream.feed.IndexFeed.Options;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** The index feed against a real broker and a real OpenSearch node. Each test has its own topic and index. */
@InRun
class IndexFeedIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    static Path directory;

    private static TestCluster cluster;
    private static OpenSearchProcess openSearch;
    private static SchemaRegistry registry;
    private static Contracts contracts;

    private String index;
    private TagstreamConfig config;

    @BeforeAll
    static void start() throws Exception {
        cluster = TestCluster.start();
        openSearch = new OpenSearchProcess(directory).start();
        registry = SchemaRegistries.connect(Map.of("schema.registry.url", cluster.registryUrl()));
        contracts = new Contracts(registry);
    }

    @AfterAll
    static void stop() throws Exception {
        registry.close();
        openSearch.close();
        cluster.close();
    }

    @BeforeEach
    void makeTopics(TestInfo test) {
        index = test.getTestMethod().orElseThrow().getName().toLowerCase(java.util.Locale.ROOT);
        config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                cluster.bootstrapServers(),
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                cluster.registryUrl(),
                TagstreamConfig.TAGS_TOPIC,
                index,
                TagstreamConfig.DEAD_LETTERS_TOPIC,
                index + "-letters",
                TagstreamConfig.TOPICS_CHECK_MILLIS,
                200,
                TopicKeys.TOPICS_PARTITIONS,
                2));
        TopicProvisioner.provision(config);
        contracts.register(config);
    }

    private RunningFeed feed(boolean recreate, boolean once) {
        return RunningFeed.start(config, contracts, openSearch.url(), new Options(index, recreate, once));
    }

    private void feedOnce() throws Exception {
        try (RunningFeed feed = feed(false, true)) {
            feed.awaitEnd();
        }
    }

    private static void eventually(ThrowingRunnable assertion) {
        // at first, an index may not exist yet
        await().atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).untilAsserted(assertion);
    }

    @Test
    void shouldHoldTheLatestRecordOfEveryImageAndFollowChanges() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            tags.write("cat", 1);
            tags.write("dog", 2);
            tags.write("gone", 3);
            tags.abort(Map.of("never", TagsWriter.event("never", 4)));
            try (RunningFeed feed = feed(false, false)) {
                eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));

                tags.write("cat", 5);
                tags.delete("gone");
                tags.delete("dog");
                tags.write("dog", 6);
                tags.write("new", 7);

                eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
                assertThat(tags.documents()).containsOnlyKeys("cat", "dog", "new");
                eventually(() -> assertThat(feed.lag()).isZero());
                assertThat(feed.notReadyBecause()).isEmpty();
            }
            assertThat(versions()).isEqualTo(tags.versions());
            assertThat(found("{\"term\":{\"tagNames\":\"cat\"}}")).containsExactly("cat", "new");
            assertThat(found("{\"term\":{\"attributeTerms\":\"by=Zoë\"}}")).containsExactly("cat", "dog", "new");
            assertThat(found("{\"nested\":{\"path\":\"tags\",\"query\":{\"bool\":{\"must\":["
                            + "{\"term\":{\"tags.name\":\"rocket\"}},{\"range\":{\"tags.score\":{\"gte\":0.85}}}]}}}}"))
                    .containsExactly("dog");
        }
    }

    private List<String> found(String query) throws Exception {
        List<String> ids = new ArrayList<>();
        openSearch
                .request("POST", "/" + index + "/_search", "{\"query\":" + query + "}")
                .path("hits")
                .path("hits")
                .forEach(hit -> ids.add(hit.path("_id").asText()));
        return ids.stream().sorted().toList();
    }

    /** The version of every document, including hidden ones. */
    private Map<String, Long> versions() throws Exception {
        Map<String, Long> versions = new HashMap<>();
        openSearch
                .hits(index + "-000001")
                .forEach((id, hit) -> versions.put(id, hit.path("_version").asLong()));
        return versions;
    }

    @Test
    void shouldGoOnWhereItStoppedAndChangeNothingWhenRecordsComeAgain() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            for (int i = 0; i < 50; i++) {
                tags.write("image-" + i % 20, i);
            }
            feedOnce();
            tags.write("image-3", 100);
            try (RunningFeed feed = feed(false, true)) {
                feed.awaitEnd();
                assertThat(feed.documents("written")).as("only the new one").isEqualTo(1);
                assertThat(feed.documents("unchanged")).isZero();
            }
            Map<String, JsonNode> before = openSearch.hits(index);

            forgetHowFarItGot();
            try (RunningFeed feed = feed(false, true)) {
                feed.awaitEnd();
                assertThat(feed.documents("unchanged")).isEqualTo(51);
                assertThat(feed.documents("written")).isZero();
            }
            assertThat(openSearch.hits(index)).isEqualTo(before);
            assertThat(openSearch.documents(index)).isEqualTo(tags.documents());
        }
    }

    /** Makes the next feed read from the beginning of the topic. */
    private void forgetHowFarItGot() throws Exception {
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            String groups = config.applicationId() + "-index-" + index + "-";
            List<String> ours = admin.listGroups().all().get().stream()
                    .map(group -> group.groupId())
                    .filter(id -> id.startsWith(groups))
                    .toList();
            assertThat(ours).isNotEmpty();
            admin.deleteConsumerGroups(ours).all().get();
        }
    }

    @Test
    void shouldNotBringADeletedImageBackHoweverLateItsOldRecordsComeAgain() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            tags.write("kept", 1);
            tags.write("deleted", 2);
            tags.delete("deleted");
            feedOnce();
            String physical = index + "-000001";
            openSearch.request("PUT", "/" + physical + "/_settings", "{\"index.gc_deletes\":\"0ms\"}");

            // like a request from a feed that was held up for a long time
            long old = 0;
            String source =
                    new String(TagDocument.of(TagsWriter.event("deleted", 2), Instant.now()), StandardCharsets.UTF_8);
            JsonNode late = openSearch.request(
                    "POST",
                    "/_bulk",
                    "{\"index\":{\"_index\":\"%s\",\"_id\":\"deleted\",\"version\":%d,\"version_type\":\"external\"}}%n%s%n"
                            .formatted(physical, old, source));
            assertThat(late.path("items").get(0).path("index").path("status").asInt())
                    .isEqualTo(409);
            forgetHowFarItGot();
            feedOnce();

            assertThat(openSearch.documents(index)).containsOnlyKeys("kept");
            assertThat(openSearch.documents(physical)).containsOnlyKeys("deleted", "kept");
            assertThat(openSearch.documents(physical).get("deleted").fieldNames())
                    .toIterable()
                    .as("nothing else of it is kept")
                    .containsExactly("deleted", "writtenAt");
        }
    }

    @Test
    void shouldWaitForANodeThatIsKilledAndGoOn() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts);
                RunningFeed feed = feed(false, false)) {
            for (int i = 0; i < 20; i++) {
                tags.write("before-" + i, i);
            }
            eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
            openSearch.kill();
            for (int i = 0; i < 20; i++) {
                tags.write("during-" + i, i);
            }
            tags.delete("before-3");
            eventually(() -> assertThat(feed.notReadyBecause())
                    .hasValueSatisfying(reason -> assertThat(reason).contains("accepts no documents")));
            assertThat(feed.lag()).isPositive();
            openSearch.start();

            eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
            eventually(() -> assertThat(feed.lag()).isZero());
            assertThat(feed.retries()).isPositive();
            assertThat(feed.notReadyBecause()).isEmpty();
        }
    }

    /** A node that has no memory for requests refuses them with 429, which is not the fault of any document. */
    @Test
    void shouldWaitForANodeThatHasTooManyRequests() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts);
                RunningFeed feed = feed(false, false)) {
            tags.write("before", 1);
            eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
            openSearch.refuseRequestsOver("8kb");
            try {
                tags.write(TagsWriter.longEvents(20));
                eventually(() -> assertThat(feed.notReadyBecause())
                        .hasValueSatisfying(reason -> assertThat(reason)
                                .contains("accepts no documents")
                                .contains("429")));
                tags.delete("before");
            } finally {
                openSearch.refuseRequestsOver(null);
            }

            eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
            eventually(() -> assertThat(feed.lag()).isZero());
            assertThat(feed.retries()).isGreaterThanOrEqualTo(20);
            assertThat(feed.documents("rejected")).isZero();
            assertThat(feed.notReadyBecause()).isEmpty();
        }
    }

    @Test
    void shouldSetARefusedDocumentAsideWithTheReasonAndGoOn() throws Exception {
        openSearch.request(
                "PUT",
                "/_index_template/" + index,
                "{\"index_patterns\":[\"%s-*\"],\"template\":{\"settings\":{\"index.mapping.nested_objects.limit\":3}}}"
                        .formatted(index));
        TagEvent many = TagsWriter.event("many", 1);
        many.setTags(java.util.Collections.nCopies(4, new Tag("label-cat", "cat", 0.9f, 0.5f)));
        String longId = "x".repeat(513);
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            Map<String, TagEvent> records = new TreeMap<>();
            records.put("good", TagsWriter.event("good", 2));
            records.put("many", many);
            records.put(longId, TagsWriter.event("x", 3));
            tags.write(records);
            unreadable("unreadable");
            tags.write("after", 4);
            try (RunningFeed feed = feed(false, true)) {
                feed.awaitEnd();
                assertThat(feed.documents("rejected")).isEqualTo(3);
            }

            assertThat(openSearch.documents(index)).containsOnlyKeys("good", "after");
            Map<String, DeadLetters.Reason> letters = letters();
            assertThat(letters).containsOnlyKeys("many", "unreadable", longId);
            assertThat(letters.get("many").message()).contains("nested").contains("[3]");
            assertThat(letters.get("many").exception()).endsWith("DocumentRejectedException");
            assertThat(letters.get("many").position()).startsWith(index + "-");
            assertThat(letters.get(longId).message()).contains("512 bytes");
            assertThat(letters.get("unreadable").message()).contains("Avro");
        }
    }

    private void unreadable(String key) {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config.kafkaSettings(), new ByteArraySerializer(), new ByteArraySerializer())) {
            var unused = producer.send(new ProducerRecord<>(
                    index, key.getBytes(StandardCharsets.UTF_8), new byte[] {'{', '}', 1, 1, 1, 1}));
        }
    }

    private Map<String, DeadLetters.Reason> letters() {
        Map<String, DeadLetters.Reason> letters = new HashMap<>();
        try (TopicScan scan = new TopicScan(config)) {
            scan.read(
                    TagstreamConfig.DEAD_LETTERS_TOPIC,
                    Optional.empty(),
                    found -> letters.put(
                            new String(found.key(), StandardCharsets.UTF_8), DeadLetters.reason(found.headers())));
        }
        return letters;
    }

    @Test
    void shouldRefuseToStartOnAMappingThatIsNotItsOwn() throws Exception {
        openSearch.request(
                "PUT",
                "/_index_template/" + index,
                "{\"index_patterns\":[\"%s-*\"],\"template\":{\"mappings\":{\"properties\":{\"tags\":{\"type\":\"keyword\"}}}}}"
                        .formatted(index));
        try (RunningFeed feed = feed(false, true)) {
            assertThat(feed.awaitFailure()).contains(index + "-000001", "tags", "index template for " + index + "-*");
        }
        openSearch.request("DELETE", "/_index_template/" + index, null);
        feedOnce();

        JsonNode mapping = openSearch
                .request("GET", "/" + index + "/_mapping", null)
                .path(index + "-000001")
                .path("mappings");
        ((com.fasterxml.jackson.databind.node.ObjectNode) mapping.path("properties"))
                .putObject("tagNames")
                .put("type", "text");
        openSearch.request("DELETE", "/" + index + "-000001", null);
        openSearch.request(
                "PUT", "/" + index + "-000001", "{\"aliases\":{\"%s\":{}},\"mappings\":%s}".formatted(index, mapping));
        try (RunningFeed feed = feed(false, true)) {
            assertThat(feed.awaitFailure())
                    .contains("field tagNames is of type text but must be keyword", "--recreate");
        }

        openSearch.request("DELETE", "/" + index + "-000001", null);
        openSearch.request("PUT", "/" + index, null);
        try (RunningFeed feed = feed(false, true)) {
            assertThat(feed.awaitFailure()).contains(index + " is an index", "needs that name for an alias", "--index");
        }
    }

    @Test
    void shouldBuildAnIndexAnewBehindTheAliasAndSwitchWhenItIsComplete() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            for (int i = 0; i < 30; i++) {
                tags.write("image-" + i, i);
            }
            tags.delete("image-7");
            feedOnce();
            openSearch.request("DELETE", "/" + index + "-000001/_doc/image-1", null);
            assertThat(openSearch.documents(index))
                    .as("what the rebuild must restore")
                    .doesNotContainKey("image-1");
            openSearch.request(
                    "PUT",
                    "/" + index + "-000002",
                    "{\"mappings\":{\"_meta\":{\"tagstream\":{\"topic\":\"%s\",\"topicId\":\"of old\"}}}}"
                            .formatted(index));

            try (RunningFeed feed = feed(true, false)) {
                eventually(() -> assertThat(openSearch.behind(index)).containsExactly(index + "-000003"));
                assertThat(openSearch.documents(index))
                        .as("complete from the moment of the switch")
                        .isEqualTo(tags.documents());
                tags.write("image-7", 99);
                eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
                assertThat(feed.notReadyBecause()).isEmpty();
            }
            assertThat(openSearch.request("GET", "/" + index + "-*", null).size())
                    .as("indices left")
                    .isEqualTo(1);
            feedOnce();
            assertThat(openSearch.behind(index)).containsExactly(index + "-000003");
        }
    }

    @Test
    void shouldRefuseATopicThatWasCreatedAnewUntilToldToRecreate() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            for (int i = 0; i < 30; i++) {
                tags.write("image-" + i, i);
            }
        }
        try (RunningFeed running = feed(false, false)) {
            eventually(() -> assertThat(openSearch.documents(index)).hasSize(30));
            recreateTopic();
            assertThat(running.awaitFailure()).contains("topic " + index, "--recreate");
        }
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            tags.write("image-1", 100);
            tags.write("other", 101);
            try (RunningFeed feed = feed(false, true)) {
                assertThat(feed.awaitFailure())
                        .contains(index + "-000001", "topic " + index + " was recreated", "use --recreate");
            }
            assertThat(openSearch.documents(index)).hasSize(30);

            try (RunningFeed feed = feed(true, true)) {
                feed.awaitEnd();
            }
            assertThat(openSearch.documents(index)).isEqualTo(tags.documents());
        }
    }

    private void recreateTopic() throws Exception {
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            admin.deleteTopics(Set.of(index)).all().get();
            eventually(() -> assertThat(admin.listTopics().names().get()).doesNotContain(index));
        }
        eventually(() -> TopicProvisioner.provision(config));
    }

    @Test
    void shouldRefuseAnIndexThatMayHaveMissedDeletions() throws Exception {
        feedOnce();
        JsonNode meta = openSearch
                .request("GET", "/" + index + "/_mapping", null)
                .path(index + "-000001")
                .path("mappings")
                .path("_meta");
        ((com.fasterxml.jackson.databind.node.ObjectNode) meta.path("tagstream"))
                .put("currentAt", "2020-01-01T00:00:00Z");
        openSearch.request("PUT", "/" + index + "-000001/_mapping", "{\"_meta\":%s}".formatted(meta));

        try (RunningFeed feed = feed(false, true)) {
            assertThat(feed.awaitFailure()).contains("2020-01-01", "delete.retention.ms", "use --recreate");
        }
    }

    @Test
    void shouldStopWhenItsIndexIsTakenAwayAndMakeNoOther() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts);
                RunningFeed feed = feed(false, false)) {
            tags.write("cat", 1);
            eventually(() -> assertThat(openSearch.documents(index)).hasSize(1));
            openSearch.request("DELETE", "/" + index + "-000001", null);
            tags.write("dog", 1);

            assertThat(feed.awaitFailure()).contains(index + "-000001");
            assertThat(openSearch.request("GET", "/" + index + "*", null)).isEmpty();
            feedOnce();
            assertThat(openSearch.documents(index)).isEqualTo(tags.documents());
        }
    }

    @Test
    void shouldShareTheWorkBetweenInstances() throws Exception {
        try (TagsWriter tags = new TagsWriter(config, contracts);
                RunningFeed one = feed(false, false);
                RunningFeed other = feed(false, false)) {
            int round = 0;
            while (one.documents("written") == 0 || other.documents("written") == 0) {
                Map<String, TagEvent> records = new HashMap<>();
                for (int i = 0; i < 50; i++) {
                    records.put("image-" + i, TagsWriter.event("image-" + i, round));
                }
                tags.write(records);
                assertThat(round++).as("rounds until both have work").isLessThan(600);
                assertThat(one.hasEnded() || other.hasEnded()).isFalse();
            }
            one.close();
            eventually(() -> assertThat(openSearch.documents(index)).isEqualTo(tags.documents()));
        }
    }
}
