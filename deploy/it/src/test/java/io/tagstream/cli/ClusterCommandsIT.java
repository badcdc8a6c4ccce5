/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands with which users manage a cluster by hand. */
@InRun
class ClusterCommandsIT {
    private static final Pattern ADDRESS = Pattern.compile("the console and its API are served on (http://\\S+)");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path directory;

    private Path configuration;

    @Test
    void shouldSubmitImagesFollowOutcomesAndListTopics() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            configuration = Files.write(
                    directory.resolve("tagstream.properties"),
                    List.of(
                            "bootstrap.servers = " + cluster.bootstrapServers(),
                            "schema.registry.url = " + cluster.registryUrl(),
                            "state.dir = " + directory.resolve("state"),
                            "topics.partitions = 2",
                            "http.port = 0",
                            "console.enabled = true",
                            "search.enabled = true",
                            "fetch.file.roots = " + CommandProcess.SAMPLES.toAbsolutePath()));
            Run missing = command("topics");
            assertThat(missing.exitCode()).as(missing.errors()).isEqualTo(1);
            assertThat(missing.lines()).hasSize(9).allMatch(line -> line.contains("missing"));

            try (CommandProcess run = CommandProcess.start("run", "--config", configuration.toString())) {
                run.awaitNote("Images wait for the vocabulary");
                assertThat(command("labels", "add", "cat").exitCode()).isZero();

                String cat = CommandProcess.SAMPLES.resolve("cat.jpg").toString();
                Run submitted = command("submit", cat, "--id", "photo-1", "--attribute", "album=pets", "--wait");
                assertThat(submitted.exitCode()).as(submitted.errors()).isZero();
                assertThat(submitted.lines()).hasSize(1);
                assertThat(submitted.lines().get(0)).matches("photo-1  cat [01]\\.\\d\\d");

                Run failed = command("submit", "file:///nowhere/x.jpg", "--wait", "60", "--json");
                assertThat(failed.exitCode()).as(failed.errors()).isZero();
                assertThat(failed.lines().get(0)).contains("\"reason\":\"FETCH_BLOCKED\"");

                Run strict = command("submit", "file:///nowhere/x.jpg", "--wait", "60", "--fail-on-failure");
                assertThat(strict.exitCode()).as(strict.errors()).isEqualTo(1);
                assertThat(strict.errors()).contains("1 of 1 images could not be tagged");

                Run tags = command("tail", "--from-beginning", "--limit", "1");
                assertThat(tags.lines()).as(tags.errors()).hasSize(1);
                assertThat(tags.lines().get(0)).matches("photo-1  cat [01]\\.\\d\\d");
                Run failures = command("tail", "--failures", "--from-beginning", "--limit", "1");
                assertThat(failures.lines().get(0)).startsWith("file:///nowhere/x.jpg  failed, FETCH_BLOCKED");

                Run topics = command("topics");
                assertThat(topics.exitCode()).as(topics.errors()).isZero();
                assertThat(topics.lines()).anyMatch(line -> line.matches("images +fit +3 offsets; partitions 2"));

                assertLists();
                assertModelAndPolicy();
                assertReadOnlyConsole(run);
                run.terminate();
                Run ended = run.awaitEnd();
                assertThat(ended.errors()).doesNotContain("ERROR", "Exception");
            }
        }
    }

    /** A text file is a list of images: its wrong lines are named, and its ids and attributes arrive with the tags. */
    private void assertLists() throws Exception {
        Path csv = Files.write(
                directory.resolve("photos.csv"),
                List.of(
                        "# a comment",
                        "uri,id,album",
                        CommandProcess.SAMPLES.resolve("cat.jpg") + ",photo-2,\"pets, large\"",
                        "",
                        "nowhere.jpg,photo-3,",
                        CommandProcess.SAMPLES.resolve("dogs.jpg") + ",photo-4,"));
        Run some = command("submit", csv.toString(), "--wait", "--json", "--attribute", "owner=anna");
        assertThat(some.exitCode()).as(some.errors()).isEqualTo(1);
        assertThat(some.byImageId()).containsOnlyKeys("photo-2", "photo-4");
        assertThat(some.errors())
                .contains(
                        csv + ", line 5: nowhere.jpg is neither a URI nor an existing file",
                        "2 submitted; 1 line names no image");

        Path json = Files.writeString(
                directory.resolve("photos.jsonl"),
                "{\"uri\": \"%s\", \"id\": \"photo-5\"}".formatted(CommandProcess.SAMPLES.resolve("cat.jpg")));
        Run submitted = command("submit", json.toString(), "--json");
        assertThat(submitted.exitCode()).as(submitted.errors()).isZero();
        assertThat(submitted.byImageId()).containsOnlyKeys("photo-5");
        assertThat(submitted.byImageId().get("photo-5").at("/origin/topic").asText())
                .isEqualTo("images");
    }

    private void assertModelAndPolicy() throws Exception {
        Run bundle = CommandProcess.run("model", "inspect", "--json");
        assertThat(json(bundle).path("id").asText()).isEqualTo("everyday");
        assertThat(json(bundle).at("/image/size").asInt()).isEqualTo(224);
        Run list = command("model", "list");
        assertThat(list.lines()).as(list.errors()).hasSize(2);
        assertThat(list.lines().get(0))
                .matches("in force  everyday \\S+ \\(generation \\d+\\) since .*, control revision 1");
        assertThat(list.lines().get(1)).matches("instance  127\\.0\\.0\\.1 has everyday \\S+ \\(generation \\d+\\)");
        Run back = command("model", "use", "--back");
        assertThat(back.exitCode()).isEqualTo(1);
        assertThat(back.errors()).contains("no other bundle was in force before everyday", "nothing was changed");
        Run wrong = command("policy", "set", "--min-score", "2");
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.errors()).contains("--min-score 2: must be a score in [0, 1]");
        Run set = command("policy", "set", "--top-k", "7");
        assertThat(set.exitCode()).as(set.errors()).isZero();
        assertThat(set.lines().get(0)).isEqualTo("In force (control revision 2):");
        JsonNode inForce = json(command("model", "list", "--json"));
        assertThat(inForce.path("revision").asInt()).isEqualTo(2);
        assertThat(inForce.at("/bundle/id").asText()).isEqualTo("everyday");
        assertThat(inForce.path("earlier")).isEmpty();
        assertThat(json(command("policy", "show", "--json"))).isEqualTo(inForce);
        assertThat(json(command("policy", "set", "--top-k", "7", "--json"))).isEqualTo(inForce);
        assertThat(inForce.at("/policy/topK").asInt()).isEqualTo(7);
        assertThat(inForce.at("/policy/minScore").isNull()).isTrue();
        Run shown = command("policy", "show");
        assertThat(shown.lines()).as(shown.errors()).hasSize(3).contains("top-k         7");
    }

    /** The console that {@code run} serves by default allows viewing and searching, but no changes. */
    private static void assertReadOnlyConsole(CommandProcess run) throws Exception {
        Matcher address = ADDRESS.matcher(run.errors());
        assertThat(address.find()).isTrue();
        URI console = URI.create(address.group(1));
        assertThat(get(console, "/")).contains("<title>Tagstream</title>");
        assertThat(get(console, "/api/status"))
                .contains("\"writable\":false,\"uploads\":false,\"thumbnails\":false,\"search\":true");
        assertThat(get(console, "/api/search?q=cat"))
                .contains("\"id\":\"photo-1\"", "\"album\":\"pets\"")
                .contains("\"id\":\"photo-2\"", "\"album\":\"pets, large\"", "\"owner\":\"anna\"");
        assertThat(get(console, "/api/failures")).contains("FETCH_BLOCKED");
        HttpResponse<String> refused = CLIENT.send(
                HttpRequest.newBuilder(console.resolve("/api/labels/cat"))
                        .header("X-Tagstream", "test")
                        .DELETE()
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(refused.statusCode()).isEqualTo(403);
    }

    private static String get(URI console, String path) throws Exception {
        return CLIENT.send(HttpRequest.newBuilder(console.resolve(path)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static JsonNode json(Run run) throws Exception {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.lines()).hasSize(1);
        return JSON.readTree(run.lines().get(0));
    }

    private Run command(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--config", configuration.toString()));
        return CommandProcess.run(all.toArray(String[]::new));
    }
}
