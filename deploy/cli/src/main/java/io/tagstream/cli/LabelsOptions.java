/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.cluster.vocabulary.ChangeWatch;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that the vocabulary commands share: the cluster that they work with. */
final class LabelsOptions {
    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    /** How long the commands that change labels wait. */
    static final class Patience {
        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                defaultValue = "30",
                description = "How long to wait for the change to be in force. 0: do not wait. Default: 30.")
        private int seconds;

        private Duration duration() {
            if (seconds < 0) {
                throw OperatorException.invalid("--wait %d: must be at least 0 seconds".formatted(seconds));
            }
            return Duration.ofSeconds(seconds);
        }
    }

    /** The vocabulary's topic, and what you need to work with it. */
    record Access(TagstreamConfig config, Contracts contracts, VocabularyTopic topic) {}

    /** Does some work on the vocabulary's topic; on failure, a one-sentence message says what cannot be reached. */
    <R> R with(Function<Access, R> work) {
        logging.apply();
        TagstreamConfig config = cluster.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Contracts contracts = new Contracts(registry);
            return work.apply(new Access(config, contracts, new VocabularyTopic(config, contracts)));
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    /**
     * Writes changes and reports their outcome.
     *
     * @param changes labels by their ids, null for a label to remove
     * @return the exit code: 0 if all changes are in force, or are written when there is no wait
     */
    static int apply(Access access, Map<String, Label> changes, Patience patience) {
        if (changes.isEmpty()) {
            System.out.println("Nothing to change.");
            return ExitCode.DONE;
        }
        if (patience.duration().isZero()) {
            access.topic().write(changes);
            System.out.printf("%d %s written.%n", changes.size(), noun(changes.size()));
            return ExitCode.DONE;
        }
        try (ChangeWatch watch = new ChangeWatch(access.config(), access.contracts())) {
            Optional<ChangeWatch.Effect> effect = watch.await(access.topic().write(changes), patience.duration());
            return report(changes.size(), effect.orElseThrow(() -> notInForce(changes.size(), patience)));
        }
    }

    private static int report(int changes, ChangeWatch.Effect effect) {
        for (ChangeWatch.Refusal refusal : effect.refusals()) {
            Terminal.note("label \"%s\" was refused (%s): %s"
                    .formatted(
                            refusal.labelId(),
                            refusal.failure().getReason(),
                            refusal.failure().getMessage()));
        }
        int taken = changes - effect.refusals().size();
        if (taken > 0) {
            System.out.printf(
                    "%d %s in force: %d labels, vocabulary epoch %d.%n",
                    taken, noun(taken), effect.labels(), effect.epoch());
        }
        return effect.refusals().isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private static OperatorException notInForce(int changes, Patience patience) {
        return OperatorException.failed(
                "%d %s written, but not in force within %d s: is Tagstream running? Changes apply once it runs"
                        .formatted(changes, noun(changes), patience.seconds));
    }

    private static String noun(int changes) {
        return changes == 1 ? "change" : "changes";
    }
}
