/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import jakarta.servlet.ServletOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a real server with tighter limits than those in production. */
class LimitedServerTest {
    private static final ClientLimits LIMITS = new ClientLimits(
            new ClientLimits.Bodies(1_000, 3, new Pace(Duration.ofSeconds(2), 1_000)),
            new ClientLimits.Uploads(100_000, new Pace(Duration.ofSeconds(2), 10_000)),
            new Pace(Duration.ofSeconds(2), 1_000_000_000),
            new ClientLimits.OpenConnections(100, Duration.ofSeconds(2)),
            Duration.ofSeconds(1));
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final int LARGE_ANSWER = 64 * 1024 * 1024;

    private final MeterRegistry metrics = new SimpleMeterRegistry();
    private final CountDownLatch letGo = new CountDownLatch(1);
    private final Semaphore held = new Semaphore(0);
    private final HttpClient client = HttpClient.newHttpClient();
    private Javalin server;
    private SlowClients slow;

    @BeforeEach
    void start() {
        start(LIMITS);
    }

    private void start(ClientLimits limits) {
        server = Javalin.create(config -> configure(config, limits)).start("127.0.0.1", 0);
        slow = new SlowClients(server.port());
    }

    @AfterEach
    void stop() throws Exception {
        letGo.countDown();
        slow.close();
        server.stop();
    }

    private void configure(JavalinConfig config, ClientLimits limits) {
        config.startup.showJavalinBanner = false;
        new LimitedServer(limits, metrics).accept(config);
        config.routes.get("/health/live", request -> request.result("live"));
        config.routes.post("/api/echo", request -> request.result(request.bodyAsBytes()));
        config.routes.post("/api/images", LimitedServerTest::upload);
        config.routes.get("/api/held", request -> {
            held.release();
            letGo.await();
        });
        config.routes.get("/api/large", request -> request.result(new byte[LARGE_ANSWER]));
        config.routes.get("/api/events", this::events);
    }

    private static void upload(Context request) {
        request.result(String.valueOf(request.uploadedFiles("files").get(0).size()));
    }

    private void events(Context request) throws IOException, InterruptedException {
        ServletOutputStream out = request.res().getOutputStream();
        while (!letGo.await(10, TimeUnit.MILLISECONDS)) {
            out.write('e');
            out.flush();
        }
    }

    @Test
    void shouldPassOnABodyAsItCame() throws Exception {
        assertThat(send("POST", "/api/echo", "0123456789").body()).isEqualTo("0123456789");
        Socket chunked = slow.open();
        write(chunked, "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        write(chunked, "3\r\ncde\r\n");
        write(chunked, "0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(SlowClients.answer(chunked)).contains("abcde", "live");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/echo", "/api/images"})
    void shouldAskForABodyThatWaitsToBeAskedFor(String path) throws Exception {
        String body = multipart("picture");
        try (Socket socket = slow.open()) {
            write(
                    socket,
                    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n"
                                    .formatted(path, body.length())
                            + "Expect: 100-continue\r\nConnection: close\r\n\r\n");
            String asked = "HTTP/1.1 100 Continue";
            assertThat(new String(socket.getInputStream().readNBytes(asked.length()), StandardCharsets.ISO_8859_1))
                    .isEqualTo(asked);
            write(socket, body);
            assertThat(SlowClients.answer(socket)).contains("HTTP/1.1 200 OK");
        }
    }

    @Test
    void shouldRefuseABodyThatTakesTooLong() throws Exception {
        String answer = SlowClients.answer(slow.begin(post("/api/echo", 900)));
        assertThat(answer).startsWith("HTTP/1.1 408 ").contains("application/problem+json", "bytes per second");
        assertThat(refused("late")).isEqualTo(1);
    }

    @Test
    void shouldRefuseABodyThatNeverBegins() throws Exception {
        try (Socket silent = slow.open()) {
            write(silent, post("/api/echo", 900));
            assertThat(SlowClients.answer(silent)).startsWith("HTTP/1.1 408 ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 1001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"})
    void shouldRefuseABodyThatIsTooLarge(String head) throws Exception {
        try (Socket large = slow.open()) {
            write(large, "POST /api/echo HTTP/1.1\r\nHost: x\r\n" + head + "x".repeat(1_001));
            assertThat(SlowClients.answer(large)).startsWith("HTTP/1.1 413 ").contains("1,000 bytes");
        }
        assertThat(refused("large")).isEqualTo(1);
    }

    @Test
    void shouldTakeOnlySoManyBodiesAtATime() throws Exception {
        for (int body = 0; body < LIMITS.bodies().atOnce(); body++) {
            slow.begin(post("/api/echo", 900));
        }
        HttpResponse<String> refused = awaitStatus(503, "POST", "/api/echo", "x");
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        assertThat(refused.body()).contains("3 request bodies");
        assertThat(refused("busy")).isPositive();
        assertThat(send("GET", "/health/live", "").statusCode()).isEqualTo(200);
        assertThat(awaitStatus(200, "POST", "/api/echo", "x").body())
                .as("when those are late")
                .isEqualTo("x");
    }

    @Test
    void shouldTakeAnUploadThatIsLargerThanOtherBodies() throws Exception {
        assertThat(send("POST", "/api/images", multipart("y".repeat(50_000))).body())
                .isEqualTo("50000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 100001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n186a1\r\n"})
    void shouldRefuseAnUploadThatIsTooLarge(String length) throws Exception {
        try (Socket large = slow.open()) {
            write(
                    large,
                    "POST /api/images HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                            + length);
            write(large, "x".repeat(100_001));
            SlowClients.answer(large);
        }
        assertThat(refused("large")).isEqualTo(1);
    }

    @Test
    void shouldRefuseAnUploadThatTakesTooLong() throws Exception {
        SlowClients.answer(slow.begin("POST /api/images HTTP/1.1\r\nHost: x\r\n"
                + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000\r\n\r\n" + SlowClients.PART));
        assertThat(refused("late")).isEqualTo(1);
    }

    @Test
    void shouldAnswerHealthWhileAShareIsFullAndRefuseWhoWaitsTooLong() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> working = new ArrayList<>();
        for (int request = 0; request < Share.API.atATime(); request++) {
            working.add(client.sendAsync(request("GET", "/api/held", ""), HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(held.tryAcquire(Share.API.atATime(), DEADLINE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();

        HttpResponse<String> refused = send("GET", "/api/held", "");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        assertThat(refused.body()).contains("64 requests of this kind (api)");
        assertThat(send("GET", "/health/live", "").statusCode()).isEqualTo(200);
        assertThat(send("GET", "/", "").statusCode()).as("another share").isEqualTo(404);

        CompletableFuture<HttpResponse<String>> next =
                client.sendAsync(request("GET", "/api/nothing", ""), HttpResponse.BodyHandlers.ofString());
        letGo.countDown();
        assertThat(next.get(DEADLINE.toSeconds(), TimeUnit.SECONDS).statusCode())
                .as("its turn has come")
                .isEqualTo(404);
        for (CompletableFuture<HttpResponse<String>> done : working) {
            assertThat(done.get(DEADLINE.toSeconds(), TimeUnit.SECONDS).statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldLetGoOfAClientThatDoesNotTakeItsAnswer() throws Exception {
        try (Socket socket = slow.open()) {
            write(socket, "GET /api/large HTTP/1.1\r\nHost: x\r\n\r\n");
            await().atMost(DEADLINE).until(() -> refused("unread") == 1);
        }
    }

    @Test
    void shouldLeaveAListenerAloneThatTakesWhatComes() throws Exception {
        try (Socket socket = slow.open()) {
            write(socket, "GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n");
            InputStream events = socket.getInputStream();
            long until = System.nanoTime()
                    + LIMITS.answerPace().grace().plusSeconds(2).toNanos();
            while (System.nanoTime() < until) {
                assertThat(events.read()).isNotNegative();
            }
        }
        assertThat(refused("unread")).isZero();
    }

    @Test
    void shouldCloseAConnectionWhoseHeadTricklesIn() throws Exception {
        assertThat(SlowClients.answer(slow.begin("GET /health/live HTTP/1.1\r\nX-Slow: ")))
                .isEmpty();
        assertThat(refused("idle")).isEqualTo(1);

        Socket second = slow.begin("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/live HTTP/1.1\r\nX-Slow: ");
        assertThat(SlowClients.answer(second)).as("after a request").containsOnlyOnce("200 OK");
        assertThat(refused("idle")).isEqualTo(2);
    }

    @Test
    void shouldMakeRoomForNewConnections() throws Exception {
        slow.close();
        server.stop();
        ClientLimits.OpenConnections patient =
                new ClientLimits.OpenConnections(LIMITS.connections().most(), DEADLINE.multipliedBy(2));
        start(new ClientLimits(LIMITS.bodies(), LIMITS.uploads(), LIMITS.answerPace(), patient, LIMITS.turn()));
        List<Socket> sockets = new ArrayList<>();
        for (int socket = 0; socket < LIMITS.connections().most() + 5; socket++) {
            sockets.add(slow.begin("GET /health/live HTTP/1.1\r\nX-Slow: "));
        }
        assertThat(send("GET", "/health/live", "").statusCode()).isEqualTo(200);
        await().atMost(DEADLINE).until(() -> refused("crowded") >= 5);
        assertThat(sockets.subList(0, sockets.size() / 2)).as("the first").anyMatch(LimitedServerTest::isClosed);
    }

    private static boolean isClosed(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException open) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    private double refused(String reason) {
        return HttpMetric.REFUSED.counter(metrics, reason).count();
    }

    private static String post(String path, int length) {
        return "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n".formatted(path, length);
    }

    private static String multipart(String content) {
        return SlowClients.PART + content + "\r\n--x--\r\n";
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private HttpRequest request(String method, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(DEADLINE)
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body));
        if (body.startsWith("--x")) {
            request.header("Content-Type", "multipart/form-data; boundary=x");
        }
        return request.build();
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return client.send(request(method, path, body), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> awaitStatus(int status, String method, String path, String body) throws Exception {
        long until = System.nanoTime() + DEADLINE.toNanos();
        HttpResponse<String> answer = send(method, path, body);
        while (answer.statusCode() != status) {
            assertThat(System.nanoTime()).as(answer.body()).isLessThan(until);
            answer = send(method, path, body);
        }
        return answer;
    }
}
