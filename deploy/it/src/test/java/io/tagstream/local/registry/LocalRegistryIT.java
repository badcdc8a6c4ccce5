/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.it.InRun;
import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.broker.LoopbackPort;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.schemas.registry.SchemaRegistryContract;
import java.io.IOException;
import java.net.BindException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Holds {@link LocalRegistry} to the contract, and to its own promises beyond that. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@InRun
class LocalRegistryIT extends SchemaRegistryContract {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private EmbeddedBroker broker;
    private LocalRegistry registry;

    @BeforeAll
    void start(@TempDir Path directory) throws IOException {
        broker = EmbeddedBroker.start(directory, 0);
        registry = LocalRegistry.start(broker.bootstrapServers(), 0);
    }

    @AfterAll
    void stop() {
        registry.close();
        broker.close();
    }

    @Override
    protected String url() {
        return registry.url();
    }

    @Test
    void shouldAnswerWhileAClientTakesItsTimeToSendASchema() throws Exception {
        URI url = URI.create(registry.url());
        try (Socket slow = new Socket(url.getHost(), url.getPort())) {
            slow.getOutputStream()
                    .write("POST /subjects/slow/versions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
                            .getBytes(StandardCharsets.US_ASCII));
            HttpRequest subjects = HttpRequest.newBuilder(url.resolve("/subjects"))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            for (int again = 0; again < 20; again++) { // at least one of them comes after the slow one
                assertThat(http.send(subjects, BodyHandlers.ofString()).statusCode())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void shouldKeepIdsAndSettingsOverRestarts() throws Exception {
        Schema first = schema("Kept", "one");
        Schema second = schema("Kept", "one", "two");
        int firstId = register("kept", first);
        int secondId = register("kept", second);
        put("/config/kept", "{\"compatibility\": \"full\"}");

        restart();

        assertThat(get("/subjects/kept/versions").body()).isEqualTo("[1,2]");
        assertThat(get("/config/kept").body()).isEqualTo("{\"compatibilityLevel\":\"FULL\"}");
        assertThat(register("kept", first)).isEqualTo(firstId);
        assertThat(register("kept", second)).isEqualTo(secondId);
        assertThat(register("kept-later", schema("Later"))).isGreaterThan(secondId);
    }

    @Test
    void shouldNotGiveTheIdOfASchemaDeletedForGoodToAnother() throws Exception {
        int deleted = register("doomed", schema("Doomed"));
        assertThat(delete("/subjects/doomed?permanent=true").body()).contains("40405");
        assertThat(delete("/subjects/doomed").body()).isEqualTo("[1]");
        assertThat(delete("/subjects/doomed").body()).contains("40404");
        assertThat(get("/subjects?deleted=true").body()).contains("doomed");
        assertThat(delete("/subjects/doomed?permanent=true").body()).isEqualTo("[1]");
        assertThat(get("/subjects?deleted=true").body()).doesNotContain("doomed");
        assertThat(get("/schemas/ids/" + deleted).statusCode()).isEqualTo(404);

        restart();

        assertThat(register("next", schema("Next"))).isGreaterThan(deleted);
    }

    @Test
    void shouldDeleteOneVersion() throws Exception {
        register("versions", schema("Versions", "one"));
        register("versions", schema("Versions", "one", "two"));

        assertThat(delete("/subjects/versions/versions/latest").body()).isEqualTo("2");

        assertThat(get("/subjects/versions/versions").body()).isEqualTo("[1]");
        assertThat(get("/subjects/versions/versions/2").body()).contains("40402");
        assertThat(get("/subjects/versions/versions/2?deleted=true").statusCode())
                .isEqualTo(200);
        assertThat(register("versions", schema("Versions", "one", "three"))).isPositive();
        assertThat(get("/subjects/versions/versions").body()).isEqualTo("[1,3]");
    }

    @Test
    void shouldTakeADocumentedSchemaForAnotherThanTheUndocumentedOne() throws Exception {
        Schema plain = SchemaBuilder.record("Documented")
                .fields()
                .requiredString("one")
                .endRecord();
        Schema documented = SchemaBuilder.record("Documented")
                .doc("Now we know.")
                .fields()
                .requiredString("one")
                .endRecord();

        assertThat(register("documented", documented)).isNotEqualTo(register("documented", plain));
    }

    @Test
    void shouldGiveOneIdToConcurrentRegistrations() throws Exception {
        Schema schema = schema("Concurrent");
        ExecutorService executor = Executors.newFixedThreadPool(8);
        try {
            List<Future<Integer>> ids = new ArrayList<>();
            for (int count = 0; count < 32; count++) {
                String subject = "concurrent-" + count % 4;
                ids.add(executor.submit(() -> register(subject, schema)));
            }
            Set<Integer> distinct = new HashSet<>();
            for (Future<Integer> id : ids) {
                distinct.add(id.get());
            }
            assertThat(distinct).hasSize(1);
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void shouldExplainWhatItDoesNotServe() throws Exception {
        assertThat(post("/subjects/s/versions", "{\"schema\": \"message M {}\", \"schemaType\": \"PROTOBUF\"}")
                        .body())
                .contains("42201", "PROTOBUF", "only AVRO");
        assertThat(post("/subjects/s/versions", "{\"schema\": \"\\\"int\\\"\", \"references\": [{\"name\": \"a\"}]}")
                        .body())
                .contains("42201", "references are not supported");
        assertThat(post("/subjects/s/versions", "{\"schema\": ").statusCode()).isEqualTo(400);
        assertThat(put("/config", "{\"compatibility\": \"SOMEWHAT\"}").body()).contains("42203", "SOMEWHAT");
        assertThat(put("/mode", "{\"mode\": \"IMPORT\"}").body()).contains("42204", "IMPORT");
        assertThat(get("/mode").body()).isEqualTo("{\"mode\":\"READWRITE\"}");
        assertThat(get("/subjects/s/versions/newest").body()).contains("40401");
        register("s", schema("S"));
        assertThat(get("/subjects/s/versions/newest").body()).contains("42202", "newest");
        assertThat(get("/config/s").body()).contains("40408");
        assertThat(get("/config/s?defaultToGlobal=true").body()).contains("BACKWARD_TRANSITIVE");
        assertThat(get("/nothing/here").statusCode()).isEqualTo(404);
    }

    @Test
    void shouldSayWhyASchemaIsIncompatible() throws Exception {
        register("why", schema("Why", "one"));
        Schema demanding = SchemaBuilder.record("Why")
                .namespace("local")
                .fields()
                .requiredString("two")
                .endRecord();
        String body = JSON.writeValueAsString(Map.of("schema", demanding.toString()));

        assertThat(post("/compatibility/subjects/why/versions/latest?verbose=true", body)
                        .body())
                .contains("\"is_compatible\":false", "READER_FIELD_MISSING_DEFAULT_VALUE", "two");
        assertThat(post("/subjects/why/versions", body).body())
                .contains("409", "READER_FIELD_MISSING_DEFAULT_VALUE", "BACKWARD_TRANSITIVE");
    }

    @Test
    void shouldNameThePortThatIsInUse() {
        int port = URI.create(registry.url()).getPort();

        assertThatThrownBy(() -> LocalRegistry.start(broker.bootstrapServers(), port))
                .isInstanceOf(BindException.class)
                .hasMessageContaining("Port " + port)
                .hasMessageContaining("schema registry")
                .hasMessageContaining("choose another port");
    }

    @Test
    void shouldNameTheBrokerThatDoesNotAnswer() throws Exception {
        int nobody = LoopbackPort.resolve(0, "nobody");

        assertThatThrownBy(() -> LocalRegistry.start("127.0.0.1:" + nobody, 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + nobody);
    }

    private void restart() throws IOException {
        int port = URI.create(registry.url()).getPort();
        registry.close();
        registry = LocalRegistry.start(broker.bootstrapServers(), port);
    }

    private int register(String subject, Schema schema) {
        try (SchemaRegistry client = SchemaRegistries.connect(Map.of("schema.registry.url", registry.url()))) {
            return client.register(subject, schema);
        }
    }

    private static Schema schema(String name, String... optionalFields) {
        SchemaBuilder.FieldAssembler<Schema> fields =
                SchemaBuilder.record(name).namespace("local").fields();
        for (String field : optionalFields) {
            fields = fields.optionalString(field);
        }
        return fields.endRecord();
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send(request(path).GET());
    }

    private HttpResponse<String> put(String path, String body) throws Exception {
        return send(request(path).PUT(BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        return send(request(path).POST(BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> delete(String path) throws Exception {
        return send(request(path).DELETE());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(registry.url() + path));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofString());
    }
}
