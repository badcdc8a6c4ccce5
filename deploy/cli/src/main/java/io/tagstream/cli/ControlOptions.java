/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.ControlTopic;
import io.tagstream.topology.control.Instances;
import io.tagstream.topology.records.Contracts;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of the commands that read or change the control record: the cluster that they work with. */
final class ControlOptions {
    @Option(
            names = "--json",
            description = "Write one JSON object: revision, bundle, policy, earlier bundles (the latest first) and"
                    + " changedAt.")
    private boolean json;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    /** The record in force. */
    ClusterControl read() {
        return with(topic -> topic.read().orElseThrow(ControlOptions::nothingInForce));
    }

    /**
     * The record in force after a change.
     *
     * @param changed whether it has changed; if not, there was nothing to change
     */
    record Outcome(ClusterControl inForce, boolean changed) {}

    /**
     * The instances that run.
     *
     * @throws KafkaException if the cluster does not answer or does not allow it
     */
    List<Instances.Instance> instances() {
        return Instances.running(cluster.config());
    }

    /**
     * Changes the record.
     *
     * @param change makes the next record from the one in force; empty if there is nothing to change
     */
    Outcome change(Function<ClusterControl, Optional<ClusterControl>> change) {
        return with(topic -> {
            boolean[] changed = {false};
            ClusterControl now = topic.change(before -> {
                Optional<ClusterControl> next = change.apply(before.orElseThrow(ControlOptions::nothingInForce));
                changed[0] = next.isPresent();
                return next;
            });
            return new Outcome(now, changed[0]);
        });
    }

    /** Writes the record in force, as JSON if that was asked for and as text otherwise. */
    void print(ClusterControl inForce, Consumer<PrintStream> text) {
        PrintStream output = Terminal.utf8Output();
        if (json) {
            output.println(object(inForce));
        } else {
            text.accept(output);
        }
        output.flush();
    }

    private static ObjectNode object(ClusterControl control) {
        ObjectNode object = JsonNodeFactory.instance.objectNode().put("revision", control.getRevision());
        object.set("bundle", object(control.getBundle()));
        object.putObject("policy")
                .put("minScore", control.getPolicy().getMinScore())
                .put("topK", control.getPolicy().getTopK())
                .put("scoresFloor", control.getPolicy().getScoresFloor());
        ArrayNode earlier = object.putArray("earlier");
        control.getEarlier().forEach(bundle -> earlier.add(object(bundle)));
        return object.put("changedAt", control.getChangedAt().toString());
    }

    private static ObjectNode object(BundleRelease bundle) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", bundle.getId())
                .put("version", bundle.getVersion())
                .put("generation", bundle.getGeneration());
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
