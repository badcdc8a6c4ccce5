/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ClusterControl;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.records.Contracts;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;

/** The options of the commands that read or change the control record: the cluster that they work with. */
final class ControlOptions {
    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    /** The record in force. */
    ClusterControl read() {
        return with(topic -> topic.read().orElseThrow(ControlOptions::nothingInForce));
    }

    /**
     * Changes the record.
     *
     * @param change makes the next record from the one in force; empty if there is nothing to change
     * @return the record in force from now on; empty if there was nothing to change
     */
    Optional<ClusterControl> change(Function<ClusterControl, Optional<ClusterControl>> change) {
        return with(topic -> {
            boolean[] changed = {false};
            ClusterControl now = topic.change(before -> {
                Optional<ClusterControl> next = change.apply(before.orElseThrow(ControlOptions::nothingInForce));
                changed[0] = next.isPresent();
                return next;
            });
            return changed[0] ? Optional.of(now) : Optional.empty();
        });
    }

    private static OperatorException nothingInForce() {
        return OperatorException.failed(
                "nothing is in force yet; start an instance first, which puts its own bundle and policy in force");
    }

    private <R> R with(Function<ControlTopic, R> work) {
        logging.apply();
        TagstreamConfig config = cluster.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            return work.apply(new ControlTopic(config, new Contracts(registry)));
        } catch (ControlTopic.ChangedMeanwhileException e) {
            throw OperatorException.failed(e.getMessage(), e);
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }
}
