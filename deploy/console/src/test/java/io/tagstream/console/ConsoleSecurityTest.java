/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.tagstream.cluster.OperatorException;
import io.tagstream.console.api.ApiClient;
import io.tagstream.console.api.ApiException;
import io.tagstream.console.api.PeerSignature;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.topology.config.TagstreamConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What other people's pages, host names and paths must not reach. */
class ConsoleSecurityTest {
    private static final String LABEL = "{\"name\": \"heron\"}";

    @TempDir
    Path directory;

    private ConsoleFixture fixture() {
        return fixture(Map.of());
    }

    private ConsoleFixture fixture(Map<String, Object> settings) {
        return new ConsoleFixture(directory, settings, Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example",
                "evil.example:8080",
                "localhost.evil.example",
                "127.0.0.1.evil.example",
                "[::2]",
                "169.254.1.1"
            })
    void shouldRefuseNamesThatAreNotThisMachine(String host) throws Exception {
        try (ConsoleFixture console = fixture()) {
            for (String path : List.of("/", "/api/images", "/console/app.js", "/api/session")) {
                assertThat(console.raw("GET " + path + " HTTP/1.1\r\nHost: " + host))
                        .startsWith("HTTP/1.1 421 ")
                        .contains("console.hosts");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LOCALHOST:99", "127.0.0.1:8080", "[::1]:8080", "photos.example"})
    void shouldAnswerToNamesOfThisMachineAndAllowedOnes(String host) throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_HOSTS, "Photos.example"))) {
            assertThat(console.raw("GET /api/labels HTTP/1.1\r\nHost: " + host)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void shouldLeaveHealthAndMetricsAsTheyAre() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_TOKEN, "secret"))) {
            assertThat(console.raw("GET /health/live HTTP/1.1\r\nHost: probe.example"))
                    .startsWith("HTTP/1.1 200 ");
            assertThat(console.raw("GET /metrics HTTP/1.1\r\nHost: probe.example"))
                    .startsWith("HTTP/1.1 200 ");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Origin, http://evil.example",
        "Origin, null",
        "Origin, http://127.0.0.1:1",
        "Sec-Fetch-Site, cross-site",
        "Sec-Fetch-Site, same-site"
    })
    void shouldRefuseWritesThatComeFromElsewhere(String header, String value) throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> refused = console.send(
                    console.write("PUT", "/api/labels/heron", LABEL).header(header, value));
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(refused.body()).contains("another page");
            assertThat(console.written()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PUT, /api/labels/heron",
        "DELETE, /api/labels/heron",
        "POST, /api/images",
        "POST, /api/labels/preview",
        "POST, /api/session"
    })
    void shouldRefuseWritesWithoutTheHeaderThatNoOtherPageCanSend(String method, String path) throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> refused = console.send(console.request(path)
                    .header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofString(LABEL)));
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(refused.body()).contains("X-Tagstream");
            assertThat(console.written()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})
    void shouldRefuseWritesThatAFormCouldSend(String type) throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> refused = console.send(console.request("/api/labels/heron")
                    .header("X-Tagstream", "test")
                    .header("Content-Type", type)
                    .PUT(HttpRequest.BodyPublishers.ofString(LABEL)));
            assertThat(refused.statusCode()).isEqualTo(415);
            assertThat(console.written()).isEmpty();
        }
    }

    @Test
    void shouldTakeWritesOfItsOwnPage() throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> done = console.send(console.write("PUT", "/api/labels/heron", LABEL)
                    .header("Origin", console.url(""))
                    .header("Sec-Fetch-Site", "same-origin"));
            assertThat(done.statusCode()).as(done.body()).isEqualTo(200);
            assertThat(console.written()).containsOnlyKeys("heron");
        }
    }

    @Test
    void shouldNotAllowOtherPagesToAsk() throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> preflight = console.send(console.request("/api/labels/heron")
                    .header("Origin", "http://evil.example")
                    .header("Access-Control-Request-Method", "PUT")
                    .method("OPTIONS", HttpRequest.BodyPublishers.noBody()));
            assertThat(preflight.headers().map().keySet())
                    .noneMatch(name -> name.toLowerCase(java.util.Locale.ROOT).startsWith("access-control-"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/console/../../../etc/passwd",
                "/console/%2e%2e/%2e%2e/etc/passwd",
                "/console/..%2f..%2fetc%2fpasswd",
                "/console/%252e%252e%252fetc%252fpasswd",
                "/console/..%5c..%5cetc%5cpasswd",
                "/console/lit/../../io/tagstream/cli/Main.class",
                "/console//etc/passwd",
                "/META-INF/resources/webjars/lit-html",
                "/webjars/lit-html/3.3.2/package.json",
                "/console/lit/package.json"
            })
    void shouldServeNoFilesButTheConsoles(String path) throws Exception {
        try (ConsoleFixture console = fixture()) {
            String answer = console.raw("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1");
            assertThat(answer).matches("(?s)HTTP/1.1 40[04] .*").doesNotContain("root:");
        }
    }

    @Test
    void shouldShowNoPictureFromOutsideTheRoots() throws Exception {
        Path outside = Files.copy(ConsoleFixture.SAMPLES.resolve("cat.jpg"), directory.resolve("secret.jpg"));
        Path link = directory.resolve("link.jpg");
        Files.createSymbolicLink(link, outside);
        try (ConsoleFixture console = fixture()) {
            Path climbing = ConsoleFixture.SAMPLES.resolve("../../../../../../../../" + outside);
            console.put(
                    ConsoleFixture.image("outside", outside, Map.of()),
                    ConsoleFixture.image("link", link, Map.of()),
                    ConsoleFixture.image("climbing", climbing, Map.of()),
                    ConsoleFixture.sample("cat.jpg", Map.of()));
            for (String id : List.of("outside", "link", "climbing")) {
                HttpResponse<String> refused = console.get("/api/images/" + id + "/thumbnail");
                assertThat(refused.statusCode()).as(id).isEqualTo(404);
                assertThat(refused.body()).contains("FETCH_BLOCKED");
            }
            assertThat(console.get("/api/images/cat.jpg/thumbnail").statusCode())
                    .isEqualTo(200);
            assertThat(console.get("/api/images/..%2F..%2Fetc%2Fpasswd/thumbnail")
                            .statusCode())
                    .as("an id is never a path")
                    .isEqualTo(404);
        }
    }

    @Test
    void shouldServeDataAsDataOnly() throws Exception {
        String script = "<script>alert(1)</script>";
        try (ConsoleFixture console = fixture()) {
            console.put(ConsoleFixture.image(
                    script, Path.of("/x"), Map.of("name", script), new ImageDocument.TagScore("x", script, 1, 0)));
            for (String path : List.of(
                    "/api/images",
                    "/api/images/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
                    "/api/labels/%3Cscript%3E",
                    "/api/%3Cscript%3E")) {
                HttpResponse<String> answer = console.get(path);
                assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
                        .as(path)
                        .matches("application/(problem\\+)?json.*");
                assertThat(answer.headers().firstValue("X-Content-Type-Options"))
                        .contains("nosniff");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/console/app.js", "/api/images", "/api/nothing", "/nothing"})
    void shouldSendSecurityHeadersWithEverything(String path) throws Exception {
        try (ConsoleFixture console = fixture()) {
            Map<String, List<String>> headers = console.get(path).headers().map();
            assertThat(headers)
                    .containsEntry("X-Frame-Options", List.of("DENY"))
                    .containsEntry("Referrer-Policy", List.of("same-origin"))
                    .containsEntry("Cross-Origin-Resource-Policy", List.of("same-origin"));
            assertThat(headers.get("Content-Security-Policy").get(0))
                    .contains("default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'")
                    .doesNotContain("unsafe", "*", "http");
        }
    }

    @Test
    void shouldAskForTheTokenWhereThereIsOne() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_TOKEN, "open sesame"))) {
            assertThat(console.get("/").statusCode()).as("the form").isEqualTo(200);
            assertThat(console.get("/api/session").body()).isEqualTo("{\"open\":false,\"token\":true}");
            for (String path : List.of("/api/images", "/api/images/", "/api/events", "/api/status", "/api/labels/x")) {
                assertThat(console.get(path).statusCode()).as(path).isEqualTo(401);
            }
            for (String path :
                    List.of("/api//images", "/%61pi/images", "/API/images", "/api/images;x", "/./api/images")) {
                assertThat(console.raw("GET " + path + " HTTP/1.1\r\nHost: localhost"))
                        .as(path)
                        .matches("(?s)HTTP/1.1 40[014] .*")
                        .doesNotContain("items");
            }
            assertThat(console.send(console.request("/api/images").header("Authorization", "Bearer open"))
                            .statusCode())
                    .isEqualTo(401);
            assertThat(console.send(console.request("/api/images").header("Authorization", "Bearer open sesame"))
                            .statusCode())
                    .isEqualTo(200);
            assertThat(console.send(console.request("/api/images").header("Cookie", "tagstream-console=guess"))
                            .statusCode())
                    .isEqualTo(401);
        }
    }

    @Test
    void shouldGiveACookieForTheTokenThatScriptsAndOtherPagesCannotUse() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_TOKEN, "open sesame"))) {
            assertThat(console.send(console.write("POST", "/api/session", "{\"token\":\"wrong\"}"))
                            .statusCode())
                    .isEqualTo(401);
            HttpResponse<String> opened =
                    console.send(console.write("POST", "/api/session", "{\"token\":\"open sesame\"}"));
            assertThat(opened.statusCode()).isEqualTo(204);
            String cookie = opened.headers().firstValue("Set-Cookie").orElseThrow();
            assertThat(cookie).contains("HttpOnly", "SameSite=Strict").doesNotContain("sesame");
            assertThat(console.send(console.request("/api/images")
                                    .header("Cookie", cookie.substring(0, cookie.indexOf(';'))))
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldNotLetTheNetworkWriteWithoutAToken() {
        Map<String, Object> open = Map.of(TagstreamConfig.HTTP_HOST, "0.0.0.0");
        assertThatThrownBy(() -> fixture(open))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("console.token");
    }

    @Test
    void shouldNotWriteWhereItIsReadOnly() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_WRITABLE, false))) {
            HttpResponse<String> refused = console.send(console.write("PUT", "/api/labels/heron", LABEL));
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(refused.body()).contains("console.writable=true");
            assertThat(console.send(console.write("POST", "/api/images", "{\"url\":\"http://a/b\"}"))
                            .statusCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void shouldLookAtNoMoreTokensInAMinuteOfTooManyGuesses() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_TOKEN, "open sesame"))) {
            String cookie = console.send(console.write("POST", "/api/session", "{\"token\":\"open sesame\"}"))
                    .headers()
                    .firstValue("Set-Cookie")
                    .orElseThrow();
            for (int i = 0; i < Guesses.MOST; i++) {
                HttpRequest.Builder guess = i % 2 == 0
                        ? console.request("/api/images").header("Authorization", "Bearer guess" + i)
                        : console.write("POST", "/api/session", "{\"token\":\"guess\"}");
                assertThat(console.send(guess).statusCode()).isEqualTo(401);
            }
            HttpResponse<String> right =
                    console.send(console.request("/api/images").header("Authorization", "Bearer open sesame"));
            assertThat(right.statusCode())
                    .as("the right one would tell a guesser")
                    .isEqualTo(429);
            assertThat(right.headers().firstValue("Retry-After").orElseThrow()).matches("[1-9]|[1-5][0-9]|60");
            assertThat(console.send(console.request("/api/images")
                                    .header("Cookie", cookie.substring(0, cookie.indexOf(';'))))
                            .statusCode())
                    .as("who has a session goes on")
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldLetInOtherInstancesByASignatureForItsOwnAddress() throws Exception {
        Map<String, Object> settings =
                Map.of(ConsoleKeys.CONSOLE_TOKEN, "open sesame", "kafka.application.server", "me.example:8080");
        Instant now = Instant.now();
        try (ConsoleFixture console = fixture(settings)) {
            assertThat(statusFor(console, PeerSignature.of("open sesame", "me.example:8080", now)))
                    .isEqualTo(200);
            assertThat(statusFor(console, PeerSignature.of("guess", "me.example:8080", now)))
                    .isEqualTo(401);
            assertThat(statusFor(console, PeerSignature.of("open sesame", "evil.example:8080", now)))
                    .as("passed on by another address")
                    .isEqualTo(401);
            assertThat(statusFor(console, PeerSignature.of("open sesame", "me.example:8080", now.minusSeconds(600))))
                    .as("overheard")
                    .isEqualTo(401);
            for (String garbage : List.of("", "x", ":", "1:", "99999999999999999999:00")) {
                assertThat(statusFor(console, PeerSignature.SCHEME + garbage)).isEqualTo(401);
            }
        }
    }

    private static int statusFor(ConsoleFixture console, String authorization) throws Exception {
        return console.send(console.request("/api/images").header("Authorization", authorization))
                .statusCode();
    }

    @Test
    void shouldNotSendTheTokenToAddressesThatOthersAnnounce() throws Exception {
        AtomicReference<String> sent = new AtomicReference<>();
        HttpServer announced = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        announced.createContext("/", exchange -> {
            sent.set(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(500, -1);
            exchange.close();
        });
        announced.start();
        try {
            URI address =
                    URI.create("http://127.0.0.1:" + announced.getAddress().getPort());
            ApiClient client = new ApiClient(address, Optional.of("open sesame"), ApiClient.Scope.INSTANCE);
            assertThatThrownBy(client::progress).isInstanceOf(ApiException.class);
            assertThat(sent.get()).startsWith(PeerSignature.SCHEME).doesNotContain("sesame");
        } finally {
            announced.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    {"name": ["heron"]}         | the field "name" has a value of another kind
                    {"nane": "heron"}           | the field "nane" is unknown; the fields are [
                    {"name": "heron", "x        | is not JSON at line 1
                    "heron"                     | not an object
                    ["heron"]                   | not an object
                    """)
    void shouldNameNoClassWhereABodyIsWrong(String body, String problem) throws Exception {
        try (ConsoleFixture console = fixture()) {
            HttpResponse<String> refused = console.send(console.write("PUT", "/api/labels/heron", body));
            assertThat(refused.statusCode()).isEqualTo(400);
            assertThat(new ObjectMapper()
                            .readTree(refused.body())
                            .path("detail")
                            .asText())
                    .contains(problem)
                    .doesNotContain("java", "io.tagstream", "class", "Token");
        }
    }
}
