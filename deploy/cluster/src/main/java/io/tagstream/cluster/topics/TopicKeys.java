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
    public static final String TOPICS_CREATE = "topics.create";
    public static final String TOPICS_PARTITIONS = "topics.partitions";
    public static final String START_WAIT_MILLIS = "start.wait.ms";

    @Override
    public void define(ConfigDef definition) {
        definition
                .define(
                        TOPICS_CREATE,
                        ConfigDef.Type.BOOLEAN,
                        true,
                        MEDIUM,
                        "Whether missing topics are created at start. False: a missing topic stops the start.")
                .define(
                        TOPICS_PARTITIONS,
                        ConfigDef.Type.INT,
                        4,
                        atLeast(1),
                        MEDIUM,
                        "Partitions of created topics other than the vocabulary's: the most instances and threads that can"
                                + " share the work. Fixed for the life of the topics.")
                .define(
                        START_WAIT_MILLIS,
                        ConfigDef.Type.LONG,
                        60_000L,
                        atLeast(0),
                        LOW,
                        "How long a start waits for Kafka and the schema registry to answer, which may come up after"
                                + " Tagstream. 0: not at all.");
    }
}
