/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.TagEvent;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.cluster.topics.TopicProvisioner;
import io.tagstream.feed.OpenSearchProcess;
import io.tagstream.feed.TagsWriter;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tagstream index} as its users run it. Both the node and the feed's processes are killed. */
@InRun
class IndexCommandIT {
    /** {@code -Dit.index.events=20000} for the long version. */
    private static final int EVENTS = Integer.getInteger("it.index.events", 2_000);

    private static final int QUARTERS = 4;
    private static final int TRANSACTION = 100;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Pattern SERVED = Pattern.compile("served on (http://\\S+)");

    @TempDir
    static Path directory;

    private static TestCluster cluster;
    private static OpenSearchProcess openSearch;
    private static SchemaRegistry registry;
    private static Contracts contracts;
    private static TagstreamConfig config;

    private final SplittableRandom random = new SplittableRandom(EVENTS);

    @BeforeAll
    static void start() throws Exception {
        cluster = TestCluster.start();
        openSearch = new OpenSearchProcess(directory).start();
        config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS, cluster.bootstrapServers(),
                TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl()));
        TopicProvisioner.provision(config);
        registry = SchemaRegistries.connect(config.registrySettings());
        contracts = new Contracts(registry);
        contracts.register(config);
    }

    @AfterAll
    static void stop() throws Exception {
        registry.close();
        openSearch.close();
        cluster.close();
    }

    private static String[] index(String... further) {
        return Stream.concat(
                        Stream.of(
                                "index",
                                "--url",
                                openSearch.url(),
                                "--set",
                                "bootstrap.servers=" + cluster.bootstrapServers(),
                                "--set",
                                "schema.registry.url=" + cluster.registryUrl(),
                                "--set",
                                "http.port=0",
                                "--set",
                                "kafka.session.timeout.ms=6000"),
                        Stream.of(further))
                .toArray(String[]::new);
    }

    /** The node is killed once and the feed twice, each while it works, and no trace of that remains. */
    @Test
    void shouldEqualTheTopicsLatestRecordsThoughNodeAndFeedAreKilled() throws Exception {
        long began = System.nanoTime();
        try (TagsWriter tags = new TagsWriter(config, contracts)) {
            CommandProcess feed = CommandProcess.start(index());
            try {
                writeQuarter(tags);
                awaitDocuments(1);
                writeQuarter(tags);
                feed.close(); // kill -9

                feed = CommandProcess.start(index());
                writeQuarter(tags);
                feed.awaitNote("Reading partitions");
                openSearch.kill();
                feed.awaitNote("accepts no documents");
                openSearch.start();
                feed.close();

                feed = CommandProcess.start(index());
                feed.awaitNote("Reading partitions");
                writeQuarter(tags);
                await().atMost(PATIENCE)
                        .untilAsserted(
                                () -> assertThat(openSearch.documents("tags")).isEqualTo(tags.documents()));

                assertThat(versions()).isEqualTo(tags.versions());
                assertHealthy(feed);
                feed.terminate();
                Run run = feed.awaitEnd();
                assertThat(run.exitCode()).as(run.errors()).isEqualTo(143);
                assertThat(run.errors()).doesNotContain("ERROR");
            } finally {
                feed.close();
            }
            System.out.printf(
                    "%,d tag events: %,d documents and %,d deletions in the index, all as in the topic, after %.0f s%n",
                    EVENTS, tags.documents().size(), tags.deleted().size(), (System.nanoTime() - began) / 1e9);
        }
    }

    /**
     * Writes a quarter of the events. There are fewer images than events, so that some images are submitted again; one
     * event in eight is a deletion.
     */
    private void writeQuarter(TagsWriter tags) {
        for (int left = EVENTS / QUARTERS; left > 0; left -= TRANSACTION) {
            Map<String, TagEvent> records = new LinkedHashMap<>();
            while (records.size() < Math.min(left, TRANSACTION)) {
                String id = "image-" + random.nextInt(EVENTS * 3 / 4);
                records.put(id, random.nextInt(8) == 0 ? null : TagsWriter.event(id, random.nextInt(1_000_000)));
            }
            tags.write(records);
        }
    }

    private static void awaitDocuments(int least) {
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> openSearch.documents("tags").size() >= least);
    }

    private static Map<String, Long> versions() throws Exception {
        Map<String, Long> versions = new HashMap<>();
        for (Map.Entry<String, JsonNode> hit : new TreeMap<>(openSearch.hits("tags-000001")).entrySet()) {
            versions.put(hit.getKey(), hit.getValue().path("_version").asLong());
        }
        return versions;
    }

    private static void assertHealthy(CommandProcess feed) throws Exception {
        Matcher served = SERVED.matcher(feed.errors());
        assertThat(served.find()).isTrue();
        String address = served.group(1);
        assertThat(get(address + "/health/live")).isEqualTo("live\n");
        assertThat(get(address + "/health/ready")).isEqualTo("ready\n");
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(get(address + "/metrics")).contains("tagstream_index_lag_records 0.0"));
    }

    private static String get(String url) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    /** Searches find the old index until the new one is complete, whatever happens to the feed in between. */
    @Test
    void shouldFinishWhatIsBuiltAnewThoughItIsKilledOnTheWay() throws Exception {
        Map<String, Object> settings = new LinkedHashMap<>(config.kafkaSettings());
        settings.put(TagstreamConfig.SCHEMA_REGISTRY_URL, cluster.registryUrl());
        settings.put(TagstreamConfig.TAGS_TOPIC, "rebuilt");
        TagstreamConfig rebuilt = new TagstreamConfig(settings);
        TopicProvisioner.provision(rebuilt);
        contracts.register(rebuilt);
        String[] anew = index("--set", "tags.topic=rebuilt", "--index", "rebuilt", "--recreate", "--once");
        try (TagsWriter tags = new TagsWriter(rebuilt, contracts)) {
            tags.write(TagsWriter.longEvents(30));
            Run first = CommandProcess.run(index("--set", "tags.topic=rebuilt", "--index", "rebuilt", "--once"));
            assertThat(first.exitCode()).as(first.errors()).isZero();
            openSearch.request("DELETE", "/rebuilt-000001/_doc/long-3", null); // the rebuild must restore this

            openSearch.refuseRequestsOver("8kb"); // the new index is created but stays empty
            CommandProcess feed = CommandProcess.start(anew);
            try {
                feed.awaitNote("accepts no documents");
            } finally {
                feed.close(); // kill -9
                openSearch.refuseRequestsOver(null);
            }
            assertThat(openSearch.behind("rebuilt")).containsExactly("rebuilt-000001");
            assertThat(openSearch.documents("rebuilt")).hasSize(29);

            Run second = CommandProcess.run(anew);
            assertThat(second.exitCode()).as(second.errors()).isZero();
            assertThat(second.errors()).contains("rebuilt-000002 was begun earlier");
            assertThat(openSearch.behind("rebuilt")).containsExactly("rebuilt-000002");
            assertThat(openSearch.documents("rebuilt")).isEqualTo(tags.documents());
            assertThat(openSearch.request("GET", "/rebuilt-*", null).size())
                    .as("indices left")
                    .isEqualTo(1);
        }
    }

    @Test
    void shouldMeasureItselfBesideTheIngesterAlone() throws Exception {
        Run run = CommandProcess.run(
                "bench", "index", "--url", openSearch.url(), "--documents", "200", "--rounds", "1", "--json");

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.lines()).hasSize(1);
        JsonNode result = new ObjectMapper().readTree(run.lines().get(0));
        assertThat(result.path("server").asText()).startsWith("OpenSearch ");
        assertThat(result.path("documents").asInt()).isEqualTo(200);
        assertThat(result.path("ingesterDocumentsPerSecond").asDouble()).isPositive();
        assertThat(result.path("feedDocumentsPerSecond").asDouble()).isPositive();
        assertThat(result.path("ratio").asDouble()).isPositive();
        assertThat(openSearch.request("GET", "/tagstream-bench-*", null))
                .as("indices left")
                .isEmpty();
    }

    @Test
    void shouldSayWhatIsWrong() throws Exception {
        assertRefused(CommandProcess.run("index"), 2, "--url");
        assertRefused(CommandProcess.run("index", "--url", "search:9200"), 2, "http://HOST:PORT");
        assertRefused(
                CommandProcess.run(
                        "index",
                        "--url",
                        "http://127.0.0.1:1",
                        "--set",
                        "bootstrap.servers=" + cluster.bootstrapServers(),
                        "--set",
                        "schema.registry.url=" + cluster.registryUrl(),
                        "--set",
                        "start.wait.ms=0"),
                1,
                "no search server answers at http://127.0.0.1:1",
                "--url");
    }

    private static void assertRefused(Run run, int exitCode, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(exitCode);
        assertThat(run.errors()).contains("tagstream: ").contains(message);
        assertThat(run.lines()).isEmpty();
    }
}
