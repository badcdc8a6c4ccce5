/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.streams.StreamsConfig;

/** Configurations for tests without a cluster. */
public final class TestConfig {
    private TestConfig() {}

    /** The defaults, with the given keys and values set: key, value, key, value. */
    public static TagstreamConfig with(Object... keysAndValues) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(TagstreamConfig.BOOTSTRAP_SERVERS, "nowhere:1");
        settings.put(TagstreamConfig.SCHEMA_REGISTRY_URL, "http://nowhere:1");
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return new TagstreamConfig(settings);
    }

    /** The properties with which a TopologyTestDriver behaves like the running topology. */
    public static Properties driverProperties(TagstreamConfig config, String applicationId) {
        Properties properties = new Properties();
        properties.putAll(StreamsSettings.of(config, applicationId, 1));
        // a directory of its own: other tests may run on this machine at the same time
        properties.put(StreamsConfig.STATE_DIR_CONFIG, "target/test-state/" + UUID.randomUUID());
        return properties;
    }
}
