/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;

/** Deletes a topic's records, whatever its policy. */
public final class TopicEraser {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private TopicEraser() {}

    /** Deletes the records that a topic has. Its offsets go on. */
    public static void empty(String topic, Admin admin) throws ExecutionException, InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config settings = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        String policy = settings.get(TopicConfig.CLEANUP_POLICY_CONFIG).value();
        setPolicy(resource, TopicConfig.CLEANUP_POLICY_DELETE, admin);
        TopicDescription description =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
        description
                .partitions()
                .forEach(partition ->
                        all.put(new TopicPartition(topic, partition.partition()), RecordsToDelete.beforeOffset(-1)));
        await("the broker to allow it")
                .atMost(PATIENCE)
                .pollInSameThread()
                .untilAsserted(() -> admin.deleteRecords(all).all().get());
        setPolicy(resource, policy, admin);
    }

    private static void setPolicy(ConfigResource resource, String policy, Admin admin)
            throws ExecutionException, InterruptedException {
        AlterConfigOp set =
                new AlterConfigOp(new ConfigEntry(TopicConfig.CLEANUP_POLICY_CONFIG, policy), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    }
}
