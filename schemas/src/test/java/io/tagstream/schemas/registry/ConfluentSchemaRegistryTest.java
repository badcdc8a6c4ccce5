/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.tagstream.avro.ImageReference;
import io.tagstream.schemas.AvroSerde;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Confluent's client through ours, against a server whose answers a real registry seldom gives. */
class ConfluentSchemaRegistryTest {
    private static final Schema SCHEMA =
            SchemaBuilder.record("Photo").fields().requiredString("uri").endRecord();
    private static final String FORMAT = "{\"type\": \"enum\", \"name\": \"Format\", \"symbols\": [\"JPEG\", \"PNG\"]}";
    private static final String NOT_FOUND = "{\"error_code\": 40403, \"message\": \"Schema not found\"}";

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();
    private final CountDownLatch never = new CountDownLatch(1);
    private HttpServer server;

    private record Answer(int status, String body) {}

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(loopback(), 0);
        serve(server);
    }

    @AfterEach
    void stop() {
        never.countDown();
        server.stop(0);
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private void serve(HttpServer server) {
        server.createContext("/", this::handle);
        server.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String request =
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        requests.add(request);
        authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        Answer answer = answers.getOrDefault(request, new Answer(404, NOT_FOUND));
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private SchemaRegistry connect(String... keysAndValues) {
        Map<String, Object> configs = new HashMap<>();
        configs.put("schema.registry.url", url());
        for (int index = 0; index < keysAndValues.length; index += 2) {
            configs.put(keysAndValues[index], keysAndValues[index + 1]);
        }
        return SchemaRegistries.connect(configs);
    }

    private void answerId(int id, String schema, String type) {
        answers.put(
                "GET /schemas/ids/" + id,
                new Answer(200, "{\"schema\": \"" + escaped(schema) + "\", \"schemaType\": \"" + type + "\"}"));
    }

    @Test
    void shouldAskOnceForAnId() {
        answerId(7, SCHEMA.toString(), "AVRO");
        try (SchemaRegistry registry = connect()) {
            assertThat(registry.schemaById(7)).isEqualTo(SCHEMA);
            assertThat(registry.schemaById(7)).isEqualTo(SCHEMA);
        }
        assertThat(requests).containsExactly("GET /schemas/ids/7");
    }

    @Test
    void shouldOnlyLookUpASchemaThatIsRegisteredAlready() {
        answers.put(
                "POST /subjects/photos-value",
                new Answer(200, "{\"subject\": \"photos-value\", \"version\": 1, \"id\": 5, \"schema\": \"\"}"));
        try (SchemaRegistry registry = connect()) {
            assertThat(registry.register("photos-value", SCHEMA)).isEqualTo(5);
        }
        assertThat(requests).containsExactly("POST /subjects/photos-value");
    }

    @Test
    void shouldRegisterASchemaThatIsNew() {
        answers.put("POST /subjects/photos-value/versions", new Answer(200, "{\"id\": 6}"));
        try (SchemaRegistry registry = connect()) {
            assertThat(registry.register("photos-value", SCHEMA)).isEqualTo(6);
        }
        assertThat(requests).containsExactly("POST /subjects/photos-value", "POST /subjects/photos-value/versions");
    }

    @Test
    void shouldBlameTheRecordForAnUnknownIdAndForOneThatIsNoAvro() {
        answerId(8, "syntax = 'proto3'; message Photo {}", "PROTOBUF");
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(SerializationException.class)
                    .hasMessageContaining("schema id 7")
                    .hasMessageContaining(url());
            assertThatThrownBy(() -> registry.schemaById(8))
                    .isInstanceOf(SerializationException.class)
                    .hasMessageContaining("PROTOBUF");
        }
    }

    static Stream<Answer> answersOfNoRegistry() {
        String half = escaped(reference().getSchema().toString().substring(0, 100));
        return Stream.of(
                new Answer(200, ""),
                new Answer(200, "null"),
                new Answer(200, "{}"),
                new Answer(200, "[]"),
                new Answer(200, "7"),
                new Answer(200, "\"{}\""),
                new Answer(200, "{\"status\": \"ok\"}"),
                new Answer(200, "{\"schema\": null}"),
                new Answer(200, "{\"schema\": \"\"}"),
                new Answer(200, "{\"schema\": \"{}\"}"),
                new Answer(200, "{\"schema\": \"null\"}"),
                new Answer(200, "{\"schema\": \"{\\\"type\\\": \\\"recrd\\\"}\"}"),
                new Answer(200, "{\"schema\": \"" + half + "\"}"),
                new Answer(200, "{\"schema\": \"" + half),
                new Answer(200, "{\"schema\": {\"type\": \"string\"}}"),
                new Answer(200, "{\"schemaType\": \"PROTOBUF\"}"),
                new Answer(200, "{\"schemaType\": \"\", \"schema\": \"\\\"string\\\"\"}"),
                new Answer(200, "{\"references\": null, \"schema\": \"\\\"string\\\"\"}"),
                new Answer(200, "{\"references\": [null], \"schema\": \"\\\"string\\\"\"}"),
                new Answer(200, "{\"references\": [{}], \"schema\": \"\\\"string\\\"\"}"),
                new Answer(200, "<html>Please log in</html>"),
                new Answer(201, "{\"schema\": \"\\\"string\\\"\"}"),
                new Answer(204, ""),
                new Answer(302, ""),
                new Answer(400, "null"),
                new Answer(404, ""),
                new Answer(404, "null"),
                new Answer(404, "{}"),
                new Answer(404, "<html>Not Found</html>"),
                new Answer(404, "{\"error_code\": 404, \"message\": \"HTTP 404 Not Found\"}"),
                new Answer(404, "{\"error_code\": 40401, \"message\": \"Subject not found\"}"),
                new Answer(409, "{\"error_code\": 409, \"message\": \"Conflict\"}"),
                new Answer(422, "{\"error_code\": 42201, \"message\": \"Invalid schema\"}"),
                new Answer(500, NOT_FOUND));
    }

    @ParameterizedTest
    @MethodSource("answersOfNoRegistry")
    void shouldBlameNoRecordForAnAnswerOfNoRegistryNorRememberIt(Answer answer) {
        AvroSerde<ImageReference> writer = new AvroSerde<>(ImageReference.class, SchemaRegistries.inMemory());
        byte[] record = writer.serializer().serialize("photos", reference());
        answers.put("GET /schemas/ids/1", answer);
        try (SchemaRegistry registry = connect()) {
            AvroSerde<ImageReference> reader = new AvroSerde<>(ImageReference.class, registry);

            assertThatThrownBy(() -> reader.deserializer().deserialize("photos", record))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("schema id 1")
                    .hasMessageContaining(url());

            answerId(1, reference().getSchema().toString(), "AVRO");
            assertThat(reader.deserializer().deserialize("photos", record)).isEqualTo(reference());
        }
    }

    @Test
    void shouldBelieveARegistryThatGivesAnotherSchema() {
        AvroSerde<ImageReference> writer = new AvroSerde<>(ImageReference.class, SchemaRegistries.inMemory());
        byte[] record = writer.serializer().serialize("photos", reference());
        answerId(1, "\"string\"", "AVRO");
        try (SchemaRegistry registry = connect()) {
            AvroSerde<ImageReference> reader = new AvroSerde<>(ImageReference.class, registry);

            assertThatThrownBy(() -> reader.deserializer().deserialize("photos", record))
                    .isInstanceOf(SerializationException.class);
        }
    }

    private static ImageReference reference() {
        return ImageReference.newBuilder().setUri("file:///a.jpg").build();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "{}", "[]", "{\"id\": 0}", "{\"id\": -1}", "<html>Please log in</html>"})
    void shouldNotTakeAnAnswerOfNoRegistryForAnId(String body) {
        try (SchemaRegistry registry = connect()) {
            answers.put("POST /subjects/photos-value", new Answer(200, body));
            assertThatThrownBy(() -> registry.register("photos-value", SCHEMA))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("photos-value");

            answers.put("POST /subjects/photos-value", new Answer(404, NOT_FOUND));
            answers.put("POST /subjects/photos-value/versions", new Answer(200, body));
            assertThatThrownBy(() -> registry.register("photos-value", SCHEMA))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("photos-value");

            answers.put("POST /subjects/photos-value/versions", new Answer(200, "{\"id\": 6}"));
            assertThat(registry.register("photos-value", SCHEMA)).isEqualTo(6);
        }
    }

    @Test
    void shouldReadASchemaThatRefersToAnother() {
        answerReference(FORMAT);
        try (SchemaRegistry registry = connect()) {
            assertThat(registry.schemaById(7).getField("format").schema().getEnumSymbols())
                    .containsExactly("JPEG", "PNG");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{\"type\": \"enum\", \"name\": \"For"})
    void shouldNotRememberHalfOfWhatASchemaRefersTo(String half) {
        answerReference(half);
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7)).isInstanceOf(RegistryUnavailableException.class);

            answerReference(FORMAT);
            assertThat(registry.schemaById(7).getField("format").schema().getEnumSymbols())
                    .containsExactly("JPEG", "PNG");
        }
    }

    @Test
    void shouldBlameNoRecordForARegistryThatIsLostBetweenTwoSchemas() {
        answerReference(FORMAT);
        answers.put("GET /subjects/format-value/versions/1", new Answer(503, "trouble"));
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7)).isInstanceOf(RegistryUnavailableException.class);
        }
    }

    private void answerReference(String schema) {
        answers.put(
                "GET /schemas/ids/7",
                new Answer(
                        200,
                        "{\"schema\": \"%s\", \"references\": [%s]}"
                                .formatted(
                                        escaped("{\"type\": \"record\", \"name\": \"Photo\", \"fields\":"
                                                + " [{\"name\": \"format\", \"type\": \"Format\"}]}"),
                                        "{\"name\": \"Format\", \"subject\": \"format-value\", \"version\": 1}")));
        answers.put(
                "GET /subjects/format-value/versions/1",
                new Answer(
                        200,
                        "{\"subject\": \"format-value\", \"version\": 1, \"id\": 3, \"schema\": \"%s\"}"
                                .formatted(escaped(schema))));
    }

    private static String escaped(String schema) {
        return schema.replace("\"", "\\\"");
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503})
    void shouldTakeAServersTroubleForUnavailability(int status) {
        answers.put(
                "GET /schemas/ids/7",
                new Answer(status, "{\"error_code\": " + status + "01, \"message\": \"trouble\"}"));
        answers.put("POST /subjects/photos-value", new Answer(status, "<html>trouble</html>"));
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("" + status)
                    .hasMessageContaining("trouble");
            assertThatThrownBy(() -> registry.register("photos-value", SCHEMA))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("" + status);
        }
    }

    @Test
    void shouldNotTakeAnythingThatAnswers404ForARegistry() {
        answers.put("GET /schemas/ids/7", new Answer(404, "<html>Not Found</html>"));
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("check schema.registry.url");
        }
    }

    @Test
    void shouldSayThatNobodyListens() {
        server.stop(0);
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining(url())
                    .hasMessageContaining("Is it running");
            assertThatThrownBy(() -> registry.register("photos-value", SCHEMA))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("photos-value");
        }
    }

    @Test
    void shouldNotWaitForeverForAnAnswer() {
        server.createContext("/schemas/ids/7", exchange -> {
            try (exchange) {
                never.await();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        });
        try (SchemaRegistry registry = connect("schema.registry.http.read.timeout.ms", "200")) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .hasMessageContaining("timed out");
        }
    }

    @Test
    void shouldTryTheNextUrl() {
        answerId(7, SCHEMA.toString(), "AVRO");
        try (SchemaRegistry registry = connect("schema.registry.url", "http://127.0.0.1:1, " + url())) {
            assertThat(registry.schemaById(7)).isEqualTo(SCHEMA);
        }
    }

    @Test
    void shouldAskTheNextUrlAfterAnAnswerOfNoRegistry() {
        answerId(7, SCHEMA.toString(), "AVRO");
        answers.put("GET /proxy/schemas/ids/7", new Answer(200, "{}"));
        for (int client = 0; client < 10; client++) { // each client starts with a random URL
            try (SchemaRegistry registry = connect("schema.registry.url", url() + "/proxy, " + url())) {
                Throwable first = catchThrowable(() -> registry.schemaById(7));
                assertThat(first)
                        .satisfiesAnyOf(
                                none -> assertThat(none).isNull(),
                                failed -> assertThat(failed).isInstanceOf(RegistryUnavailableException.class));
                assertThat(registry.schemaById(7)).isEqualTo(SCHEMA);
            }
        }
        assertThat(requests).contains("GET /proxy/schemas/ids/7");
    }

    @Test
    void shouldSayThatTheCredentialsAreRefused() {
        answers.put("GET /schemas/ids/7", new Answer(401, "{\"error_code\": 401, \"message\": \"Unauthorized\"}"));
        answers.put("GET /schemas/ids/8", new Answer(403, "{\"error_code\": 40301, \"message\": \"Forbidden\"}"));
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.schemaById(7))
                    .isInstanceOf(AuthenticationException.class)
                    .hasMessageContaining("schema.registry.basic.auth.user.info");
            assertThatThrownBy(() -> registry.schemaById(8))
                    .isInstanceOf(AuthorizationException.class)
                    .hasMessageContaining("Forbidden");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {409, 422})
    void shouldSayThatTheSchemaIsRefused(int status) {
        answers.put(
                "POST /subjects/photos-value/versions",
                new Answer(status, "{\"error_code\": " + status + ", \"message\": \"uri has no default\"}"));
        try (SchemaRegistry registry = connect()) {
            assertThatThrownBy(() -> registry.register("photos-value", SCHEMA))
                    .isInstanceOf(InvalidConfigurationException.class)
                    .hasMessageContaining("photos-value")
                    .hasMessageContaining("uri has no default");
        }
    }

    @Test
    void shouldSendTheConfiguredCredentials() {
        answerId(7, SCHEMA.toString(), "AVRO");
        try (SchemaRegistry basic = connect("schema.registry.basic.auth.user.info", "user:secret");
                SchemaRegistry bearer = connect("schema.registry.bearer.auth.token", "token")) {
            basic.schemaById(7);
            bearer.schemaById(7);
        }
        assertThat(authorizations).containsExactly("Basic dXNlcjpzZWNyZXQ=", "Bearer token");
    }

    @Test
    void shouldTrustTheConfiguredCertificatesOnly(@TempDir Path directory) throws Exception {
        answerId(7, SCHEMA.toString(), "AVRO");
        Path store = selfSignedCertificate(directory);
        HttpsServer secure = HttpsServer.create(loopback(), 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(serverContext(store)));
        serve(secure);
        try {
            String url = "https://localhost:" + secure.getAddress().getPort();
            try (SchemaRegistry trusting = connect(
                            "schema.registry.url",
                            url,
                            "schema.registry.ssl.truststore.location",
                            store.toString(),
                            "schema.registry.ssl.truststore.password",
                            "password");
                    SchemaRegistry distrusting = connect("schema.registry.url", url)) {
                assertThat(trusting.schemaById(7)).isEqualTo(SCHEMA);
                assertThatThrownBy(() -> distrusting.schemaById(7))
                        .isInstanceOf(RegistryUnavailableException.class)
                        .hasMessageContaining("SSL");
            }
        } finally {
            secure.stop(0);
        }
    }

    private static Path selfSignedCertificate(Path directory) throws Exception {
        Path store = directory.resolve("store.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "registry",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "password",
                        "-keystore",
                        store.toString())
                .inheritIO()
                .start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).isZero();
        return store;
    }

    private static SSLContext serverContext(Path store) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream stream = Files.newInputStream(store)) {
            keys.load(stream, "password".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, "password".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    @Test
    void shouldNameTheKeyThatIsWrong() {
        assertThatThrownBy(() -> SchemaRegistries.connect(Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry.url");
        for (String url : List.of("localhost:8081", "ftp://localhost", "http://", "mock://test", "http://a b")) {
            assertThatThrownBy(() -> connect("schema.registry.url", url))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("schema.registry.url")
                    .hasMessageContaining("'" + url + "'");
        }
        assertThatThrownBy(() -> connect("schema.registry.basic.auht.user.info", "user:secret"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry.basic.auht.user.info")
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> connect("schema.registry.ssl.truststore.location", "/no/such/store"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("/no/such/store");
    }

    @Test
    void shouldLeaveKeysOfOthersAlone() {
        answerId(7, SCHEMA.toString(), "AVRO");
        try (SchemaRegistry registry = connect("bootstrap.servers", "localhost:9092", "ssl.protocol", "none")) {
            assertThat(registry.schemaById(7)).isEqualTo(SCHEMA);
        }
    }
}
