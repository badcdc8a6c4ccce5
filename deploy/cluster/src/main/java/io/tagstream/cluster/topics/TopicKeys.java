/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import static org.apache.kafka.common.config.ConfigDef.Importance.LOW;
import static org.apache.kafka.common.config.ConfigDef.Importance.MEDIUM;
import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;

import io.tagstream.topology.config.ConfigurationKeys;
import org.apache.kafka.common.config.ConfigDef;

/** The configuration keys for creating topics and waiting for them. */
public final class TopicKeys implements ConfigurationKeys {
    public static final String TOPICS_PARTITIONS = "topics.partitions";
    public static final String START_WAIT_MILLIS = "start.wait.ms";

    @Override
    public void define(ConfigDef definition) {
        definition
                .define(
                        TOPICS_PARTITIONS,
                        ConfigDef.Type.INT,
                        4,
                        atLeast(1),
                        MEDIUM,
                        "Partitions of the topics of images, tags and failed images, if Tagstream creates them; the"
                                + " other topics have one. This is the most instances and threads that can share the"
                                + " work, and must not change while the topics exist.")
                .define(
                        START_WAIT_MILLIS,
                        ConfigDef.Type.LONG,
                        60_000L,
                        atLeast(0),
                        LOW,
                        "How long Tagstream waits for Kafka and the schema registry to answer when it starts; they may"
                                + " come up after it. 0: no wait.");
    }
}
