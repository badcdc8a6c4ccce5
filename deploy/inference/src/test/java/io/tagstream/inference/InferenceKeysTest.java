/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.topology.config.TagstreamConfig;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InferenceKeysTest {
    @ParameterizedTest
    @CsvSource({
        "model.batch.size, -1",
        "model.execution.provider, tpu",
        "model.devices, first",
        "model.devices, -1",
        "model.devices, '0,0'",
        "model.devices, '0,1'", // on the cpu
        "model.device.memory.mib, 0",
        "model.device.batches, 0",
        "retry.max.attempts, 0",
        "image.deadline.ms, 0",
        "decode.threads, 0",
        "decode.sandbox, sometimes",
        "decode.formats, heic"
    })
    void shouldNameTheKeyAndTheValueThatAreWrong(String key, String value) {
        Map<String, String> settings = Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                key,
                value);

        assertThatThrownBy(() -> new TagstreamConfig(settings))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(value);
    }

    @Test
    void shouldTakeSeveralGpus() {
        TagstreamConfig config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                InferenceKeys.MODEL_EXECUTION_PROVIDER,
                "cuda",
                InferenceKeys.MODEL_DEVICES,
                "0,2"));

        assertThat(config.getList(InferenceKeys.MODEL_DEVICES)).containsExactly("0", "2");
    }

    @Test
    void shouldNotRequireASandboxOfThisProcess() {
        Map<String, String> settings = Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                InferenceKeys.DECODE_SANDBOX,
                "required",
                InferenceKeys.DECODE_ISOLATION,
                "none");

        assertThatThrownBy(() -> new TagstreamConfig(settings))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("decode.sandbox")
                .hasMessageContaining("set decode.isolation=process");
    }
}
