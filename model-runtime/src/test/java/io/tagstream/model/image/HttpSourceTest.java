/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HttpSourceTest {
    private static final byte[] BODY = "an image, for all that fetching knows".getBytes(StandardCharsets.UTF_8);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch testEnded = new CountDownLatch(1);
    private HttpServer server;

    @BeforeEach
    void startServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.start();
    }

    @AfterEach
    void stopServer() throws InterruptedException {
        testEnded.countDown();
        server.stop(0);
        threads.shutdownNow();
        assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void shouldFetchKnownAndUnknownLengths() throws Exception {
        handle("/known", exchange -> {
            exchange.sendResponseHeaders(200, BODY.length);
            exchange.getResponseBody().write(BODY);
        });
        handle("/chunked", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(BODY);
        });
        try (ImageFetcher fetcher = new ImageFetcher(open().build())) {
            for (String path : new String[] {"/known", "/chunked", "/known?signature=x"}) {
                try (EncodedImage image = fetcher.fetch(request(path))) {
                    assertThat(image.bytes()).isEqualTo(BODY);
                }
            }
        }
    }

    @Test
    void shouldTakeWhatAProxyHasChanged() throws Exception {
        handle("/image", exchange -> {
            exchange.sendResponseHeaders(203, BODY.length);
            exchange.getResponseBody().write(BODY);
        });
        assertThat(fetched("/image")).isEqualTo(BODY);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "X-GZIP", "deflate", "deflate, gzip", "identity", "unknown"})
    void shouldUndoCompressionThatItDidNotAskFor(String encoding) throws Exception {
        handle("/image", exchange -> {
            assertThat(exchange.getRequestHeaders().getFirst("Accept-Encoding")).isEqualTo("identity");
            exchange.getResponseHeaders().set("Content-Encoding", encoding);
            byte[] sent = compressed(BODY, encoding);
            exchange.sendResponseHeaders(200, sent.length);
            exchange.getResponseBody().write(sent);
        });
        assertThat(fetched("/image")).isEqualTo(BODY);
    }

    @Test
    void shouldLimitWhatComesOutOfCompression() {
        handle("/bomb", exchange -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            byte[] sent = compressed(new byte[10_000_000], "gzip");
            exchange.sendResponseHeaders(200, sent.length);
            exchange.getResponseBody().write(sent);
        });
        assertFails(open().maxBytes(1_000_000), url("/bomb"), FailureReason.TOO_LARGE, "1000000 bytes");
    }

    @Test
    void shouldNotUndoLayerAfterLayer() {
        handle("/image", exchange -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip, gzip, gzip, gzip");
            exchange.sendResponseHeaders(200, BODY.length);
            exchange.getResponseBody().write(BODY);
        });
        assertFails(open(), url("/image"), FailureReason.UNSUPPORTED_FORMAT, "serve it as it is");
    }

    @Test
    void shouldSayWhoAsks() throws Exception {
        handle("/image", exchange -> {
            byte[] asker = exchange.getRequestHeaders().getFirst("User-Agent").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, asker.length);
            exchange.getResponseBody().write(asker);
        });
        String asker = "Photos/1.0 (+https://photos.example/bot)";
        try (ImageFetcher fetcher = new ImageFetcher(open().userAgent(asker).build());
                EncodedImage image = fetcher.fetch(request("/image"))) {
            assertThat(image.bytes()).asString(StandardCharsets.UTF_8).isEqualTo(asker);
        }
        assertThatThrownBy(() -> open().userAgent("two\r\nlines")).isInstanceOf(IllegalArgumentException.class);
    }

    private byte[] fetched(String path) throws Exception {
        try (ImageFetcher fetcher = new ImageFetcher(open().build());
                EncodedImage image = fetcher.fetch(request(path))) {
            return image.bytes();
        }
    }

    private static byte[] compressed(byte[] content, String encodings) throws IOException {
        byte[] compressed = content;
        for (String encoding : encodings.toLowerCase(Locale.ROOT).split(", ", -1)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (OutputStream out = switch (encoding) {
                case "gzip", "x-gzip" -> new GZIPOutputStream(bytes);
                case "deflate" -> new DeflaterOutputStream(bytes);
                default -> bytes;
            }) {
                out.write(compressed);
            }
            compressed = bytes.toByteArray();
        }
        return compressed;
    }

    @Test
    void shouldFetchUnknownLengthsLargerThanTheFirstShare() throws Exception {
        byte[] large = new byte[3 * ByteBudget.FIRST];
        handle("/large", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(large);
        });
        FetchOptions options =
                open().maxBytes(large.length).maxBufferedBytes(1).concurrency(2).build();
        try (ImageFetcher fetcher = new ImageFetcher(options)) {
            for (int i = 0; i < 5; i++) {
                try (EncodedImage image = fetcher.fetch(request("/large"))) {
                    assertThat(image.bytes()).hasSize(large.length);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "400, BAD_REFERENCE",
        "409, BAD_REFERENCE",
        "418, BAD_REFERENCE",
        "401, FETCH_FORBIDDEN",
        "403, FETCH_FORBIDDEN",
        "404, FETCH_NOT_FOUND",
        "408, FETCH_TIMEOUT",
        "410, FETCH_NOT_FOUND",
        "429, FETCH_FAILED",
        "500, FETCH_FAILED",
        "503, FETCH_FAILED",
        "504, FETCH_TIMEOUT",
        "304, FETCH_FAILED"
    })
    void shouldTellStatusesApart(int status, FailureReason reason) {
        handle("/image", exchange -> exchange.sendResponseHeaders(status, -1));
        assertFails(open(), url("/image"), reason, "HTTP " + status);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "429, 7, 7",
                "503, 120, 120",
                "503, -, -",
                "503, soon, -",
                "503, -5, -",
                "503, 99999999999999999999, -",
                "503, 'Sun, 06 Nov 1994 08:49:37 GMT', 0"
            })
    void shouldTellWhenToTryAgain(int status, String retryAfter, Long seconds) throws Exception {
        handle("/busy", exchange -> {
            if (retryAfter != null) {
                exchange.getResponseHeaders().set("Retry-After", retryAfter);
            }
            exchange.sendResponseHeaders(status, -1);
        });
        ImageException failure = failure(url("/busy"));
        assertThat(failure.sourceOverloaded()).isTrue();
        assertThat(failure.retryAfter()).isEqualTo(Optional.ofNullable(seconds).map(Duration::ofSeconds));
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 403, 500, 502})
    void shouldNotTakeOtherFailuresForOverload(int status) throws Exception {
        handle("/image", exchange -> exchange.sendResponseHeaders(status, -1));
        assertThat(failure(url("/image")).sourceOverloaded()).isFalse();
    }

    @Test
    void shouldTakeARefusedConnectionForOverload() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        ImageException failure = failure("http://127.0.0.1:" + port + "/");
        assertThat(failure.reason()).isEqualTo(FailureReason.FETCH_FAILED);
        assertThat(failure.sourceOverloaded()).isTrue();
    }

    @Test
    void shouldTakeNoLongerThanIsLeft() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ImageFetcher fetcher = new ImageFetcher(open().build())) {
            ImageRequest request =
                    new ImageRequest("http://127.0.0.1:" + silent.getLocalPort() + "/", Optional.empty());
            assertThatThrownBy(() -> fetcher.fetch(request, Duration.ofMillis(200)))
                    .isInstanceOfSatisfying(ImageException.class, e -> {
                        assertThat(e.reason()).isEqualTo(FailureReason.FETCH_TIMEOUT);
                        assertThat(e.sourceOverloaded()).isTrue();
                    })
                    .hasMessageContaining("within 200 ms");
        }
    }

    private static ImageException failure(String uri) throws Exception {
        try (ImageFetcher fetcher = new ImageFetcher(
                FetchOptions.builder().allowPrivateAddresses(true).build())) {
            return catchThrowableOfType(
                    ImageException.class, () -> fetcher.fetch(new ImageRequest(uri, Optional.empty())));
        }
    }

    @Test
    void shouldFollowAndCountRedirects() throws Exception {
        handle("/hop", exchange -> {
            int left = Integer.parseInt(exchange.getRequestURI().getQuery());
            if (left > 0) {
                exchange.getResponseHeaders().set("Location", "/hop?" + (left - 1));
                exchange.sendResponseHeaders(302, -1);
            } else {
                exchange.sendResponseHeaders(200, BODY.length);
                exchange.getResponseBody().write(BODY);
            }
        });
        try (ImageFetcher fetcher = new ImageFetcher(open().maxRedirects(3).build())) {
            try (EncodedImage image = fetcher.fetch(request("/hop?3"))) {
                assertThat(image.bytes()).isEqualTo(BODY);
            }
        }
        assertFails(open().maxRedirects(3), url("/hop?4"), FailureReason.FETCH_BLOCKED, "more than 3 times");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x7f000001", "0x7f.1", "017700000001", "127.1", "2130706433"})
    void shouldNotReachThisMachineByUnusualNumerals(String host) throws Exception {
        AtomicInteger requests = new AtomicInteger();
        handle("/", exchange -> requests.incrementAndGet());
        String uri = "http://" + host + ":" + server.getAddress().getPort() + "/";
        try (ImageFetcher fetcher = new ImageFetcher(FetchOptions.builder().build())) {
            // the platform decides whether a form is an address at all
            assertThatThrownBy(() -> fetcher.fetch(new ImageRequest(uri, Optional.empty())))
                    .isInstanceOf(ImageException.class);
        }
        assertThat(requests).hasValue(0);
    }

    @Test
    void shouldReportARefusedConnection() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        assertFails(open(), "http://127.0.0.1:" + port + "/", FailureReason.FETCH_FAILED, "refused");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http:///nowhere",
                "http://user:secret@127.0.0.1/",
                "http://a b/",
                "no-scheme.jpg",
                "ftp://example.org/a.jpg"
            })
    void shouldRefuseBadReferences(String uri) {
        assertFails(open(), uri, FailureReason.BAD_REFERENCE);
    }

    @Test
    void shouldNotRepeatSecretsInMessages() {
        handle("/image", exchange -> exchange.sendResponseHeaders(404, -1));
        try (ImageFetcher fetcher = new ImageFetcher(open().build())) {
            assertThatThrownBy(() -> fetcher.fetch(request("/image?signature=secret")))
                    .message()
                    .doesNotContain("secret")
                    .contains("/image?…");
        }
    }

    @Test
    void shouldBreakOffWhenClosed() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        handle("/hanging", exchange -> {
            asked.countDown();
            endsWithin(30_000);
        });
        ImageFetcher fetcher = new ImageFetcher(open().build());
        var fetching = threads.submit(() -> fetcher.fetch(request("/hanging")));
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
        fetcher.close();
        assertThatThrownBy(() -> fetching.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(ImageException.class);
    }

    @Test
    void shouldReadDataUris() throws Exception {
        try (ImageFetcher fetcher = new ImageFetcher(FetchOptions.builder().build())) {
            String base64 = Base64.getEncoder().encodeToString(BODY);
            try (EncodedImage image =
                    fetcher.fetch(new ImageRequest("data:image/png;base64," + base64, Optional.empty()))) {
                assertThat(image.bytes()).isEqualTo(BODY);
            }
            try (EncodedImage image = fetcher.fetch(new ImageRequest("data:,a%20b+c", Optional.empty()))) {
                assertThat(image.bytes()).asString(StandardCharsets.ISO_8859_1).isEqualTo("a b+c");
            }
        }
        assertFails(open(), "data:image/png;base64", FailureReason.BAD_REFERENCE, "comma");
        assertFails(open().maxDataUriBytes(10), "data:," + "x".repeat(11), FailureReason.TOO_LARGE);
    }

    private FetchOptions.Builder open() {
        return FetchOptions.builder().allowPrivateAddresses(true).timeout(Duration.ofSeconds(20));
    }

    private void handle(String path, HttpHandler handler) {
        server.createContext(path, exchange -> {
            try (HttpExchange closing = exchange) {
                handler.handle(closing);
            }
        });
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    private ImageRequest request(String path) {
        return new ImageRequest(url(path), Optional.empty());
    }

    private static void assertFails(
            FetchOptions.Builder options, String uri, FailureReason reason, String... inMessage) {
        try (ImageFetcher fetcher = new ImageFetcher(options.build())) {
            assertThatThrownBy(() -> fetcher.fetch(new ImageRequest(uri, Optional.empty())))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                    .message()
                    .satisfies(message -> assertThat(List.of(inMessage)).allMatch(message::contains));
        }
    }

    private boolean endsWithin(long millis) {
        try {
            return testEnded.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
