/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.cluster.OperatorException;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Duration;
import java.util.Map;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

class StartupTest {
    @Test
    void shouldWaitForARegistryThatAnswersLater() throws Exception {
        Awakening registry = new Awakening(3);

        startup(registry, Duration.ofDays(1), false).register();

        assertThat(registry.asked).isGreaterThan(3);
    }

    @Test
    void shouldSayWhatDidNotAnswerWhenTimeIsUp() {
        Awakening registry = new Awakening(Integer.MAX_VALUE);

        assertThatThrownBy(() -> startup(registry, Duration.ZERO, false).register())
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("no schema registry answers at http://registry:8081");
        assertThat(registry.asked).isEqualTo(1);
    }

    @Test
    void shouldNotWaitOnceItIsToStop() throws Exception {
        Awakening registry = new Awakening(Integer.MAX_VALUE);

        startup(registry, Duration.ofDays(1), true).register();

        assertThat(registry.asked).isZero();
    }

    private static Startup startup(SchemaRegistry registry, Duration wait, boolean stopped) {
        TagstreamConfig config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "kafka:9092",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://registry:8081",
                TopicKeys.START_WAIT_MILLIS,
                wait.toMillis()));
        return new Startup(config, registry, () -> stopped, Duration.ofMillis(1));
    }

    /** Answers only after a number of requests. */
    private static final class Awakening implements SchemaRegistry {
        private final SchemaRegistry awake = SchemaRegistries.inMemory();
        private final int unanswered;
        private int asked;

        Awakening(int unanswered) {
            this.unanswered = unanswered;
        }

        @Override
        public int register(String subject, Schema schema) {
            asked++;
            if (asked <= unanswered) {
                throw new RegistryUnavailableException("asleep", null);
            }
            return awake.register(subject, schema);
        }

        @Override
        public Schema schemaById(int id) {
            return awake.schemaById(id);
        }

        @Override
        public void close() {
            awake.close();
        }
    }
}
