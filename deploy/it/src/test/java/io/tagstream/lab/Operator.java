/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.TagPolicy;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.time.Instant;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.KafkaException;

/**
 * Changes the tag policy and the model in force, as the commands do; where the cluster or the registry does not answer,
 * again until they do.
 *
 * <p><i>Threading notes.</i> Stateless.
 */
final class Operator {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration PAUSE = Duration.ofMillis(300);

    private final ControlTopic topic;

    Operator(TagstreamConfig config, Contracts contracts) {
        this.topic = new ControlTopic(config, contracts);
    }

    /** Puts a policy in force. */
    void use(Double minScore, Integer topK) throws InterruptedException {
        change(before -> new ClusterControl(
                before.getRevision(),
                before.getBundle(),
                new TagPolicy(minScore, topK, before.getPolicy().getScoresFloor()),
                before.getEarlier(),
                before.getChangedAt()));
    }

    /** Puts a release of the model in force. */
    void use(int release) throws InterruptedException {
        BundleRelease bundle = Controls.release(WordModel.describe(release));
        change(before -> new ClusterControl(
                before.getRevision(), bundle, before.getPolicy(), before.getEarlier(), before.getChangedAt()));
    }

    /** The revision of the record in force. */
    long revision() throws InterruptedException {
        return change(before -> before);
    }

    private long change(UnaryOperator<ClusterControl> wanted) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                ClusterControl before = topic.read().orElseThrow(() -> new KafkaException("there is no record yet"));
                ClusterControl asked = wanted.apply(before);
                if (asked.equals(before)) {
                    return before.getRevision();
                }
                return topic.change(found -> found.flatMap(
                                now -> Controls.next(now, asked.getBundle(), asked.getPolicy(), Instant.now())))
                        .getRevision();
            } catch (KafkaException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(PAUSE.toMillis());
            }
        }
    }
}
