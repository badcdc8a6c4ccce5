/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.topology.TestConfig;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DefaultProductionExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TagstreamConfigTest {
    @Test
    void shouldNameAnUnknownKeyAndTheNearestKnownOne() {
        assertThatThrownBy(() -> TestConfig.with("images.topics", "x"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("images.topics")
                .hasMessageContaining("did you mean images.topic?");
        assertThatThrownBy(() -> TestConfig.with("wholly.unlike.anything.there.is", "x"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("wholly.unlike.anything.there.is")
                .hasMessageNotContaining("did you mean");
    }

    @ParameterizedTest
    @CsvSource({
        "tags.min.score, 1.5",
        "tags.min.score, NaN",
        "tags.top.k, 0",
        "task.pending.max, 0",
        "http.port, 70000",
        "images.topic, ''",
        "stream.threads, many"
    })
    void shouldNameTheKeyAndTheValueThatAreWrong(String key, String value) {
        assertThatThrownBy(() -> TestConfig.with(key, value))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(value);
    }

    @Test
    void shouldNameAMisspeltKeyRatherThanTheOneThatIsMissingForIt() {
        assertThatThrownBy(() -> new TagstreamConfig(
                        Map.of("bootstrap.server", "a:1", "schema.registry.url", "http://registry:8081")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("Unknown configuration key bootstrap.server; did you mean bootstrap.servers?");
        assertThatThrownBy(() -> new TagstreamConfig(
                        Map.of("bootstrap.servers", "a:1", "schema.registry.urls", "http://registry:8081")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("Unknown configuration key schema.registry.urls; did you mean schema.registry.url?");
    }

    @Test
    void shouldPassOnAKeyThatResemblesOneThatIsThere() {
        assertThat(TestConfig.with("schema.registry.urls", "x").registrySettings())
                .containsEntry("schema.registry.urls", "x");
    }

    @Test
    void shouldNameAMissingKey() {
        assertThatThrownBy(() -> new TagstreamConfig(Map.of("bootstrap.servers", "a:1")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry.url");
    }

    @Test
    void shouldPassKafkaAndRegistrySettingsThrough() {
        TagstreamConfig config = TestConfig.with(
                "kafka.security.protocol", "SASL_SSL", "schema.registry.basic.auth.user.info", "user:secret");

        assertThat(config.kafkaSettings())
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry("bootstrap.servers", "nowhere:1")
                .hasSize(2);
        assertThat(config.registrySettings())
                .containsEntry("schema.registry.basic.auth.user.info", "user:secret")
                .containsEntry("schema.registry.url", "http://nowhere:1")
                .hasSize(2);
        assertThat(StreamsSettings.of(config, "app", 1)).containsEntry("security.protocol", "SASL_SSL");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "processing.guarantee",
                "processing.exception.handler",
                "production.exception.handler",
                "deserialization.exception.handler",
                "errors.dead.letter.queue.topic.name"
            })
    void shouldRefuseWhatWouldLoseRecords(String key) {
        assertThatThrownBy(() -> TestConfig.with("kafka." + key, "x"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("kafka." + key)
                .hasMessageContaining("lose records");
    }

    @Test
    void shouldDropNoRecordThatCannotBeProcessedOrWritten() {
        StreamsConfig streams = new StreamsConfig(StreamsSettings.of(TestConfig.with(), "app", 1));

        assertThat(streams.getClass(StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG))
                .isEqualTo(LogAndFailProcessingExceptionHandler.class);
        assertThat(streams.getClass(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG))
                .isEqualTo(DefaultProductionExceptionHandler.class);
        assertThat(streams.getClass(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG))
                .isEqualTo(LogAndFailExceptionHandler.class);
        assertThat(streams.getString(StreamsConfig.PROCESSING_GUARANTEE_CONFIG)).isEqualTo("exactly_once_v2");
    }

    @Test
    void shouldDocumentEveryKey() {
        assertThat(TagstreamConfig.definition().configKeys().values())
                .allSatisfy(key -> assertThat(key.documentation).endsWith("."));
    }

    @Test
    void shouldHaveOneKeyForStandbyReplicas() {
        assertThatThrownBy(() -> TestConfig.with("kafka.num.standby.replicas", 1))
                .isInstanceOf(ConfigException.class)
                .hasMessage("Key kafka.num.standby.replicas cannot be set: set standby.replicas");
    }

    @ParameterizedTest
    @ValueSource(strings = {"streams", " STREAMS"})
    void shouldRefuseTheGroupProtocolUnderWhichItCannotHoldBackAPartition(String protocol) {
        assertThatThrownBy(() -> TestConfig.with("kafka.group.protocol", protocol))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("kafka.group.protocol")
                .hasMessageContaining("must be classic");
    }
}
