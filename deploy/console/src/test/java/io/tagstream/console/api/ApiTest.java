/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.console.ConsoleFixture;
import io.tagstream.console.FakeQueries;
import io.tagstream.console.live.CurrentFailure;
import io.tagstream.console.live.LiveEvent;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    private ConsoleFixture fixture() throws Exception {
        ConsoleFixture console = new ConsoleFixture(directory, Map.of(), Optional.of(new FakeQueries()));
        console.put(
                ConsoleFixture.sample("cat.jpg", Map.of("album", "pets"), tag("cat", 0.9f), tag("animal", 0.8f)),
                ConsoleFixture.sample("dogs.jpg", Map.of(), tag("dog", 0.7f), tag("animal", 0.95f)));
        return console;
    }

    private static ImageDocument.TagScore tag(String label, float score) {
        return new ImageDocument.TagScore(label, label, score, 0.5f);
    }

    @Test
    void shouldBeDescribedRouteByRoute() throws Exception {
        try (ConsoleFixture console = fixture()) {
            List<String> described = new ArrayList<>();
            String path = "";
            boolean paths = false;
            for (String line : console.get("/api/openapi.yaml").body().lines().toList()) {
                paths = line.matches("\\S.*") ? line.equals("paths:") : paths;
                if (paths && line.matches("  /.*:")) {
                    path = line.strip().replace(":", "");
                } else if (paths && line.matches("    (get|put|post|delete):")) {
                    described.add(line.strip().replace(":", "").toUpperCase(java.util.Locale.ROOT) + " " + path);
                }
            }
            List<String> served = new ArrayList<>(console.console().api().routes());
            served.addAll(List.of("GET /api/session", "POST /api/session", "DELETE /api/session"));
            assertThat(described).containsExactlyInAnyOrderElementsOf(served);
        }
    }

    /** The server refuses these before a route receives the request. */
    @Test
    void shouldDescribeThatEveryRouteCanBeBusyAndEveryBodyLateOrTooLarge() throws Exception {
        try (ConsoleFixture console = fixture()) {
            String description = console.get("/api/openapi.yaml").body();
            String paths = description.substring(description.indexOf("\npaths:"), description.indexOf("\ncomponents:"));
            String[] operations = paths.split("\n    (get|put|post|delete):\n");
            assertThat(operations).hasSizeGreaterThan(10);
            for (int operation = 1; operation < operations.length; operation++) {
                assertThat(operations[operation]).contains("\"503\":");
                if (operations[operation].contains("requestBody:")) {
                    assertThat(operations[operation]).contains("\"408\":", "\"413\":");
                }
            }
        }
    }

    @Test
    void shouldListImagesByFiltersAndPages() throws Exception {
        try (ConsoleFixture console = fixture()) {
            assertThat(ids(console.get("/api/images"))).containsExactlyInAnyOrder("cat.jpg", "dogs.jpg");
            assertThat(ids(console.get("/api/images?label=animal&minScore=0.9")))
                    .containsExactly("dogs.jpg");
            console.put(ConsoleFixture.sample(
                    "coffee.jpg", Map.of(), new ImageDocument.TagScore("label-7", "Hot drink", 0.6f, 0.5f)));
            assertThat(ids(console.get("/api/images?label=hot+drink"))).containsExactly("coffee.jpg");
            assertThat(ids(console.get("/api/images?label=label-7"))).containsExactly("coffee.jpg");
            assertThat(ids(console.get("/api/images?text=pets"))).containsExactly("cat.jpg");
            assertThat(ids(console.get("/api/images?since=1h"))).isEmpty();
            assertThat(ids(console.get("/api/search?q=dogs"))).containsExactly("dogs.jpg");

            JsonNode first = json(console.get("/api/images?limit=1"));
            assertThat(first.path("total").asInt()).isEqualTo(3);
            List<String> second = ids(console.get(
                    "/api/images?limit=1&after=" + first.path("next").asText()));
            assertThat(second).hasSize(1).doesNotContain(first.at("/items/0/id").asText());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/api/images?limit=0, limit=0",
        "/api/images?limit=many, limit=many",
        "/api/images?minScore=2, minScore=2",
        "/api/images?since=yesterday, since=yesterday",
        "/api/images?after=%21, after=!",
        "/api/search?q=+, q=",
        "/api/search?q=cat&by=magic, by=magic"
    })
    void shouldNameTheParameterThatIsWrong(String path, String detail) throws Exception {
        try (ConsoleFixture console = fixture()) {
            assertProblem(console.get(path), 400, detail);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b.jpg",
                "birds/heron.jpg",
                "https://example.org/a.jpg?x=1&y=%20",
                "ü%2F+;#?",
                "a\\b",
                "..%2F",
                "a//b"
            })
    void shouldTakeAnyIdAsOneSegmentOfAPath(String id) throws Exception {
        try (ConsoleFixture console = fixture()) {
            console.put(ConsoleFixture.image(id, Path.of("/x"), Map.of()));
            String segment = URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
            HttpResponse<String> found = console.get("/api/images/" + segment);
            assertThat(found.statusCode()).as(found.body()).isEqualTo(200);
            assertThat(json(found).path("id").asText()).isEqualTo(id);
        }
    }

    @Test
    void shouldServeSmallPictures() throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<java.io.InputStream> picture = HttpClient.newHttpClient()
                    .send(
                            console.request("/api/images/cat.jpg/thumbnail").build(),
                            HttpResponse.BodyHandlers.ofInputStream());
            assertThat(picture.headers().firstValue("Content-Type")).contains("image/jpeg");
            var decoded = ImageIO.read(picture.body());
            assertThat(Math.max(decoded.getWidth(), decoded.getHeight())).isEqualTo(320);
            String tag = picture.headers().firstValue("ETag").orElseThrow();
            assertThat(console.send(console.request("/api/images/cat.jpg/thumbnail")
                                    .header("If-None-Match", tag))
                            .statusCode())
                    .isEqualTo(304);

            console.put(ConsoleFixture.image("gone.jpg", ConsoleFixture.SAMPLES.resolve("gone.jpg"), Map.of()));
            assertProblem(console.get("/api/images/gone.jpg/thumbnail"), 404, "does not exist");
        }
    }

    @Test
    void shouldShowAndChangeLabels() throws Exception {
        try (ConsoleFixture console = fixture()) {
            Label cat = Label.newBuilder()
                    .setName("cat")
                    .setAttributes(Map.of("owner", "zoo"))
                    .build();
            console.vocabulary().apply(new LinkedHashMap<>(Map.of("cat", cat, "animal", cat)));
            assertThat(ids(console.get("/api/labels"))).containsExactly("animal", "cat");
            assertThat(json(console.get("/api/labels/animal")).path("images").asInt())
                    .isEqualTo(2);

            HttpResponse<String> put = console.send(console.write(
                    "PUT", "/api/labels/cat", "{\"prompts\":[\"a {}\",\" \"],\"threshold\":0.7,\"state\":\"SHADOW\"}"));
            assertThat(put.body()).isEqualTo("{\"inForce\":true,\"vocabularyEpoch\":7,\"labels\":3}");
            Label written = console.written().get("cat");
            assertThat(written.getPrompts()).containsExactly("a {}");
            assertThat(written.getThreshold()).isEqualTo(0.7);
            assertThat(written.getState()).isEqualTo(LabelState.SHADOW);
            assertThat(written.getAttributes())
                    .as("what the page does not show")
                    .containsEntry("owner", "zoo");

            assertThat(console.send(console.write("DELETE", "/api/labels/cat", ""))
                            .statusCode())
                    .isEqualTo(200);
            assertProblem(console.get("/api/labels/cat"), 404, "cat");
            assertProblem(console.send(console.write("DELETE", "/api/labels/cat", "")), 404, "cat");
            assertProblem(console.send(console.write("PUT", "/api/labels/x", "{\"threshold\":7}")), 400, "threshold=7");
            assertProblem(console.send(console.write("PUT", "/api/labels/x", "{\"treshold\":0.5}")), 400, "treshold");
            assertProblem(console.send(console.write("PUT", "/api/labels/x", "[")), 400, "body");
        }
    }

    @Test
    void shouldRefuseLabelsLikeTheLabelEncoderBeforeTheyAreWritten() throws Exception {
        try (ConsoleFixture console = new ConsoleFixture(
                directory, Map.of(TagstreamConfig.VOCABULARY_MAX, 1), Optional.of(new FakeQueries()))) {
            assertRefused(console, "x".repeat(501), "x", "BAD_ID", "501 characters");
            assertRefused(console, "cat%E2%80%AE", "cat", "BAD_ID", "U+202E");
            assertRefused(console, "cat", "c\\u0007at", "BAD_NAME", "U+0007");
            assertRefused(console, "cat", "\\u200b", "EMPTY_NAME", "shows nothing");
            assertRefused(console, "cat", "x".repeat(501), "TEXT_TOO_LONG", "at most 500");
            assertThat(console.written()).isEmpty();
            assertProblem(
                    console.send(console.write("POST", "/api/labels/preview", "{\"name\":\"\\u200b\"}")),
                    422,
                    "shows nothing");

            console.vocabulary()
                    .apply(Map.of("\u202eold", Label.newBuilder().setName("old").build()));
            assertRefused(console, "cat", "cat", "VOCABULARY_FULL", "vocabulary.max");
            assertThat(console.send(console.write(
                                    "PUT", "/api/labels/%E2%80%AEold", "{\"name\":\"old\",\"threshold\":0.5}"))
                            .statusCode())
                    .as("a label that was in force before there were limits")
                    .isEqualTo(200);
            assertThat(console.send(console.write("DELETE", "/api/labels/%E2%80%AEold", ""))
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    private static void assertRefused(ConsoleFixture console, String id, String name, String reason, String detail)
            throws Exception {
        HttpResponse<String> refused =
                console.send(console.write("PUT", "/api/labels/" + id, "{\"name\":\"%s\"}".formatted(name)));
        assertProblem(refused, 422, detail);
        assertThat(json(refused).path("reason").asText()).isEqualTo(reason);
    }

    @Test
    void shouldAnswerWhatTheStateOfTheTopologyKnows() throws Exception {
        try (ConsoleFixture console = fixture()) {
            JsonNode preview = json(console.send(console.write("POST", "/api/labels/preview", "{\"name\":\"heron\"}")));
            assertThat(preview.path("thresholds")).hasSize(10);
            assertThat(preview.at("/best/0/imageId").asText()).isEqualTo("cat.jpg");
            assertProblem(console.send(console.write("POST", "/api/labels/preview", "{}")), 400, "name");

            JsonNode explanation = json(console.get("/api/explain/cat.jpg"));
            assertThat(explanation.at("/labels/0/emitted").asBoolean()).isTrue();
            assertThat(explanation.at("/history/0/at").asText()).isEqualTo("2026-11-01T12:00:00Z");
            assertThat(json(console.get("/api/progress")).path("active").asBoolean())
                    .isTrue();

            JsonNode alike = json(console.get("/api/search?q=a+sleeping+pet&by=likeness"));
            assertThat(alike.path("items")).hasSize(1);
            assertThat(alike.at("/items/0/similarity").asDouble()).isEqualTo(0.31);
            assertThat(ids(console.get("/api/search?q=pet&by=likeness&label=dog")))
                    .isEmpty();
        }
    }

    @Test
    void shouldSayWhatThisInstanceCannotAnswer() throws Exception {
        try (ConsoleFixture console = new ConsoleFixture(directory, Map.of(), Optional.empty())) {
            assertProblem(console.get("/api/progress"), 501, "keeps no image data");
            assertProblem(console.get("/api/explain/x"), 501, "keeps no image data");
            assertProblem(console.get("/api/nothing"), 404, "/api/openapi.yaml");
            assertProblem(console.send(console.write("PUT", "/api/status", "{}")), 405, "/api/openapi.yaml");
            assertThat(json(console.get("/api/status")).at("/features/queries").asBoolean())
                    .isFalse();
        }
    }

    @Test
    void shouldListFailuresByReason() throws Exception {
        try (ConsoleFixture console = fixture()) {
            Instant now = Instant.parse("2026-11-01T12:00:00Z");
            console.failures()
                    .failed(new CurrentFailure("a", "file:///a", "FETCH_TIMEOUT", "slow", 3, now, "images-0@1"));
            console.failures().failed(new CurrentFailure("b", "file:///b", "TOO_LARGE", "big", 1, now, "images-0@2"));
            console.failures().mended("a", now.minusSeconds(1));
            JsonNode failures = json(console.get("/api/failures"));
            assertThat(failures.at("/items/0/imageId").asText()).isEqualTo("b");
            assertThat(failures.path("total").asInt()).isEqualTo(2);
            assertThat(json(console.get("/api/failures?reason=fetch_timeout"))
                            .at("/items/0/imageId")
                            .asText())
                    .isEqualTo("a");
            console.failures().mended("a", now.plusSeconds(1));
            assertThat(json(console.get("/api/failures")).path("total").asInt()).isEqualTo(1);
        }
    }

    @Test
    void shouldTellWhatHappensAndWhatWasMissed() throws Exception {
        try (ConsoleFixture console = fixture()) {
            console.events().publish(LiveEvent.Kind.TAGGED, "{\"id\":\"1\"}");
            console.events().publish(LiveEvent.Kind.FAILED, "{\"imageId\":\"2\"}");
            HttpResponse<java.io.InputStream> stream = HttpClient.newHttpClient()
                    .send(
                            console.request("/api/events")
                                    .header("Last-Event-ID", "1")
                                    .build(),
                            HttpResponse.BodyHandlers.ofInputStream());
            assertThat(stream.headers().firstValue("Content-Type").orElseThrow())
                    .startsWith("text/event-stream");
            BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8));
            assertThat(List.of(lines.readLine(), lines.readLine())).containsExactly("retry: 1000", "");
            assertThat(List.of(lines.readLine(), lines.readLine(), lines.readLine(), lines.readLine()))
                    .containsExactly("id: 2", "event: failed", "data: {\"imageId\":\"2\"}", "");
            console.events().publish(LiveEvent.Kind.VOCABULARY, "{}");
            assertThat(List.of(lines.readLine(), lines.readLine())).containsExactly("id: 3", "event: vocabulary");
            stream.body().close();
        }
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String detail) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("application/problem+json");
        JsonNode problem = json(answer);
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(problem.path("title").asText()).isNotEmpty();
        assertThat(problem.path("detail").asText()).contains(detail);
    }

    private static List<String> ids(HttpResponse<String> page) throws Exception {
        List<String> ids = new ArrayList<>();
        json(page).path("items").forEach(item -> ids.add(item.path("id").asText()));
        return ids;
    }

    private static JsonNode json(HttpResponse<String> answer) throws Exception {
        return JSON.readTree(answer.body());
    }
}
