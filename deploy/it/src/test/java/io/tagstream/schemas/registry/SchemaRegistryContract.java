/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.TagEvent;
import io.tagstream.schemas.AvroSerde;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaMetadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.SerializationException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a schema registry must do, tested with Confluent's original client and with ours on top of it. Every registry
 * that a subclass starts must keep the same promises.
 */
public abstract class SchemaRegistryContract {
    private static final String FIRST = """
            {"type": "record", "name": "Photo", "namespace": "contract", "fields": [
              {"name": "uri", "type": "string", "doc": "Where it is."}]}""";
    private static final String SECOND = """
            {"type": "record", "name": "Photo", "namespace": "contract", "fields": [
              {"name": "uri", "type": "string", "doc": "Where it is."},
              {"name": "size", "type": ["null", "long"], "default": null}]}""";
    private static final String INCOMPATIBLE = """
            {"type": "record", "name": "Photo", "namespace": "contract", "fields": [
              {"name": "uri", "type": "string", "doc": "Where it is."},
              {"name": "owner", "type": "string"}]}""";

    private String subject;
    private SchemaRegistryClient client;

    /** Base URL of the running registry, whose compatibility is BACKWARD_TRANSITIVE. */
    protected abstract String url();

    @BeforeEach
    void connect() {
        subject = "contract-" + UUID.randomUUID() + "-value";
        client = newClient();
    }

    private SchemaRegistryClient newClient() {
        return new CachedSchemaRegistryClient(url(), 100);
    }

    @Test
    void shouldGiveOneSchemaOneIdInEverySubject() throws Exception {
        int id = client.register(subject, new AvroSchema(FIRST));

        assertThat(newClient().register(subject, new AvroSchema(FIRST.replace("\n", " "))))
                .isEqualTo(id);
        assertThat(newClient().register("other-" + subject, new AvroSchema(FIRST)))
                .isEqualTo(id);
        assertThat(newClient().register(subject, new AvroSchema(SECOND))).isNotEqualTo(id);
    }

    @Test
    void shouldGiveBackASchemaById() throws Exception {
        int id = client.register(subject, new AvroSchema(SECOND));

        assertThat(newClient().getSchemaById(id).canonicalString()).isEqualTo(new AvroSchema(SECOND).canonicalString());
        assertThat(newClient().getAllSubjectsById(id)).contains(subject);
        assertThat(newClient().getAllVersionsById(id))
                .anySatisfy(version -> assertThat(version.getSubject()).isEqualTo(subject));
    }

    @Test
    void shouldNumberVersionsAndFindThem() throws Exception {
        int first = client.register(subject, new AvroSchema(FIRST));
        int second = client.register(subject, new AvroSchema(SECOND));

        assertThat(client.getAllVersions(subject)).containsExactly(1, 2);
        SchemaMetadata latest = newClient().getLatestSchemaMetadata(subject);
        assertThat(latest.getVersion()).isEqualTo(2);
        assertThat(latest.getId()).isEqualTo(second);
        assertThat(newClient().getSchemaMetadata(subject, 1).getId()).isEqualTo(first);
        assertThat(newClient().getVersion(subject, new AvroSchema(FIRST))).isEqualTo(1);
        assertThat(newClient().getId(subject, new AvroSchema(SECOND))).isEqualTo(second);
        assertThat(client.getAllSubjects()).contains(subject);
    }

    @Test
    void shouldSayWhatItDoesNotKnow() throws Exception {
        assertThat(codeOf(() -> client.getSchemaById(987_654))).isEqualTo(40403);
        assertThat(codeOf(() -> client.getAllVersions(subject))).isEqualTo(40401);
        assertThat(codeOf(() -> client.getLatestSchemaMetadata(subject))).isEqualTo(40401);
        client.register(subject, new AvroSchema(FIRST));
        assertThat(codeOf(() -> client.getSchemaMetadata(subject, 7))).isEqualTo(40402);
        assertThat(codeOf(() -> client.getId(subject, new AvroSchema(SECOND)))).isEqualTo(40403);
    }

    @Test
    void shouldRefuseAnIncompatibleSchema() throws Exception {
        client.register(subject, new AvroSchema(FIRST));

        RestClientException refused = catchThrowableOfType(
                RestClientException.class, () -> client.register(subject, new AvroSchema(INCOMPATIBLE)));

        assertThat(refused.getStatus()).isEqualTo(409);
        assertThat(client.getAllVersions(subject)).containsExactly(1);
    }

    @Test
    void shouldCheckCompatibilityWithoutRegistering() throws Exception {
        client.register(subject, new AvroSchema(FIRST));

        assertThat(client.testCompatibility(subject, new AvroSchema(SECOND))).isTrue();
        assertThat(client.testCompatibility(subject, new AvroSchema(INCOMPATIBLE)))
                .isFalse();
        assertThat(client.getAllVersions(subject)).containsExactly(1);
    }

    @Test
    void shouldCheckAgainstEveryEarlierVersion() throws Exception {
        client.register(subject, new AvroSchema(SECOND));
        client.register(subject, new AvroSchema(FIRST));
        String retyped = SECOND.replace("\"long\"", "\"string\"");

        // It can read the latest version, which has no size, but not the one before it, whose size is a long.
        assertThat(codeOf(() -> client.register(subject, new AvroSchema(retyped))))
                .isEqualTo(409);
    }

    @Test
    void shouldLetASubjectChooseItsCompatibility() throws Exception {
        client.register(subject, new AvroSchema(FIRST));
        assertThat(client.getCompatibility(null)).isEqualTo("BACKWARD_TRANSITIVE");

        assertThat(client.updateCompatibility(subject, "NONE")).isEqualTo("NONE");

        assertThat(client.getCompatibility(subject)).isEqualTo("NONE");
        client.register(subject, new AvroSchema(INCOMPATIBLE));
        assertThat(client.getAllVersions(subject)).containsExactly(1, 2);
    }

    @Test
    void shouldHideADeletedSubject() throws Exception {
        int id = client.register(subject, new AvroSchema(FIRST));

        assertThat(client.deleteSubject(subject)).containsExactly(1);

        assertThat(client.getAllSubjects()).doesNotContain(subject);
        assertThat(codeOf(() -> newClient().getAllVersions(subject))).isEqualTo(40401);
        assertThat(newClient().getSchemaById(id).canonicalString())
                .as("records written with it stay readable")
                .isEqualTo(new AvroSchema(FIRST).canonicalString());
    }

    @Test
    void shouldRefuseASchemaThatIsNone() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/subjects/" + subject + "/versions"))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"schema\": \"{\\\"type\\\": \\\"recrd\\\"}\"}"))
                .build();

        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(response.body().replace(" ", "")).contains("\"error_code\":42201");
    }

    @Test
    void shouldServeTheSerdes() {
        Map<String, String> configs = Map.of("schema.registry.url", url());
        try (SchemaRegistry producing = SchemaRegistries.connect(configs);
                SchemaRegistry consuming = SchemaRegistries.connect(configs)) {
            String topic = "serde-" + UUID.randomUUID();
            ImageReference reference =
                    ImageReference.newBuilder().setUri("file:///été.jpg").build();
            AvroSerde<ImageReference> writer = new AvroSerde<>(ImageReference.class, producing);
            AvroSerde<ImageReference> reader = new AvroSerde<>(ImageReference.class, consuming);

            byte[] bytes = writer.serializer().serialize(topic, reference);

            assertThat(reader.deserializer().deserialize(topic, bytes)).isEqualTo(reference);
            assertThat(reader.register(topic)).isEqualTo(ByteBuffer.wrap(bytes).getInt(1));
        }
    }

    @Test
    void shouldTellOurClientWhatIsWrong() {
        try (SchemaRegistry registry = SchemaRegistries.connect(Map.of("schema.registry.url", url()))) {
            assertThatThrownBy(() -> registry.schemaById(987_654))
                    .isInstanceOf(SerializationException.class)
                    .hasMessageContaining("987654");
            registry.register(subject, new Schema.Parser().parse(FIRST));
            assertThatThrownBy(() -> registry.register(subject, new Schema.Parser().parse(INCOMPATIBLE)))
                    .isInstanceOf(InvalidConfigurationException.class)
                    .hasMessageContaining(subject);
            assertThatThrownBy(() -> registry.register(subject, TagEvent.getClassSchema()))
                    .isInstanceOf(InvalidConfigurationException.class);
        }
    }

    private static int codeOf(ThrowingCallable call) {
        RestClientException refused = catchThrowableOfType(RestClientException.class, call);
        assertThat(refused).isNotNull();
        return List.of(40401, 40402, 40403).contains(refused.getErrorCode())
                ? refused.getErrorCode()
                : refused.getStatus();
    }
}
