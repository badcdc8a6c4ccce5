/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.topology.TestConfig;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.junit.jupiter.api.Test;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Options;

/** Tests the settings that decide how soon another instance takes over. */
class StreamsSettingsTest {
    private static Map<String, Object> mainConsumer(Object... keysAndValues) {
        Map<String, Object> settings = StreamsSettings.of(TestConfig.with(keysAndValues), "tagstream", 1);
        return new StreamsConfig(settings).getMainConsumerConfigs("tagstream", "tagstream-1", 1);
    }

    @Test
    void shouldTakeOverFromADeadInstanceSoonerThanKafkasDefault() {
        assertThat(mainConsumer()).containsEntry(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
    }

    @Test
    void shouldTakeTheSessionTimeoutThatIsConfigured() {
        assertThat(mainConsumer("kafka.session.timeout.ms", 30_000))
                .containsEntry(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 30_000);
        assertThat(mainConsumer("kafka.main.consumer.session.timeout.ms", 20_000))
                .containsEntry(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 20_000);
    }

    @Test
    void shouldBoundTheMemoryOfAllStoresTogether() throws Exception {
        RocksDBConfigSetter memory = (RocksDBConfigSetter) new StreamsConfig(
                        StreamsSettings.of(TestConfig.with("kafka.application.server", "localhost:1"), "tagstream", 1))
                .getClass(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG)
                .getConstructor()
                .newInstance();
        try (Options images = new Options();
                Options features = new Options()) {
            for (Options options : List.of(images, features)) {
                options.setTableFormatConfig(new BlockBasedTableConfig());
                memory.setConfig("store", options, Map.of());
            }
            assertThat(images.writeBufferManager()).isNotNull().isSameAs(features.writeBufferManager());
            memory.close("store", images);
            assertThat(features.writeBufferManager().isOwningHandle()).isTrue();
        }
    }

    @Test
    void shouldKeepCopiesOfTheStateOnOtherInstances() {
        assertThat(StreamsSettings.of(TestConfig.with(), "tagstream", 1))
                .containsEntry(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1);
        assertThat(StreamsSettings.of(TestConfig.with("standby.replicas", 0), "tagstream", 1))
                .containsEntry(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 0);
    }
}
