/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.cluster.vocabulary.ChangeWatch;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.io.PrintStream;
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

    /** How the commands that change labels wait and report. */
    static final class Change {
        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                defaultValue = "30",
                description = "How long to wait for the change to be in force, counted from the last label that was"
                        + " encoded. 0: do not wait. Default: 30.")
        private int seconds;

        @Option(
                names = "--json",
                description = "Write one JSON object: changes, inForce (how many of them are; null without a wait),"
                        + " labels, vocabularyEpoch and refused (id, reason, message).")
        private boolean json;

        boolean json() {
            return json;
        }

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
     * @param present the labels in force by their ids
     * @param changes labels by their ids, null for a label to remove
     * @return the exit code: 0 if all changes are in force, or are written when there is no wait
     * @throws OperatorException if a label exceeds the limits; nothing is written then
     */
    static int apply(Access access, Map<String, Label> present, Map<String, Label> changes, Change options) {
        if (changes.isEmpty()) {
            print(options, object(0, 0), "Nothing to change.");
            return ExitCode.DONE;
        }
        access.topic().requireWithinLimits(present, changes);
        Map<String, Label> ordered = access.topic().limits().inOrder(present, changes);
        if (options.duration().isZero()) {
            access.topic().write(ordered);
            print(
                    options,
                    object(changes.size(), null),
                    "%d %s written.".formatted(changes.size(), noun(changes.size())));
            return ExitCode.DONE;
        }
        try (ChangeWatch watch = new ChangeWatch(access.config(), access.contracts())) {
            Optional<ChangeWatch.Effect> effect =
                    watch.await(access.topic().write(ordered), options.duration(), new Progress(changes.size())::tell);
            return report(changes.size(), effect.orElseThrow(() -> notInForce(changes.size(), options)), options);
        }
    }

    /** Says now and then how far a long import has come. */
    private static final class Progress {
        private static final long PAUSE_NANOS = 2_000_000_000L;

        private final int changes;
        private long lastTold = System.nanoTime();

        Progress(int changes) {
            this.changes = changes;
        }

        void tell(int done) {
            if (System.nanoTime() - lastTold > PAUSE_NANOS) {
                lastTold = System.nanoTime();
                Terminal.note("%d of %d labels encoded".formatted(done, changes));
            }
        }
    }

    /** The id that somebody means who gives it as it is, or as {@code labels list} shows it. */
    static String id(Map<String, Label> present, String given) {
        return present.containsKey(given)
                ? given
                : present.keySet().stream()
                        .filter(id -> LabelLimits.readable(id).equals(given))
                        .findFirst()
                        .orElse(given);
    }

    private static int report(int changes, ChangeWatch.Effect effect, Change options) {
        for (ChangeWatch.Refusal refusal : effect.refusals()) {
            Terminal.note("label \"%s\" was refused (%s): %s"
                    .formatted(
                            refusal.labelId(),
                            refusal.failure().getReason(),
                            refusal.failure().getMessage()));
        }
        int taken = changes - effect.refusals().size();
        if (taken > 0 || options.json()) {
            ObjectNode object =
                    object(changes, taken).put("labels", effect.labels()).put("vocabularyEpoch", effect.epoch());
            ArrayNode refused = object.putArray("refused");
            effect.refusals()
                    .forEach(refusal -> refused.addObject()
                            .put("id", refusal.labelId())
                            .put("reason", refusal.failure().getReason().name())
                            .put("message", refusal.failure().getMessage()));
            print(
                    options,
                    object,
                    "%d %s in force: %d labels, vocabulary epoch %d."
                            .formatted(taken, noun(taken), effect.labels(), effect.epoch()));
        }
        return effect.refusals().isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private static ObjectNode object(int changes, Integer inForce) {
        return JsonNodeFactory.instance.objectNode().put("changes", changes).put("inForce", inForce);
    }

    /** Writes what a command did, as JSON if that was asked for and as a sentence otherwise. */
    static void print(Change options, ObjectNode object, String sentence) {
        PrintStream output = Terminal.utf8Output();
        output.println(options.json() ? object : sentence);
        output.flush();
    }

    private static OperatorException notInForce(int changes, Change options) {
        return OperatorException.failed(
                "%d %s written, but not in force within %d s: is Tagstream running? Changes apply once it runs"
                        .formatted(changes, noun(changes), options.seconds));
    }

    private static String noun(int changes) {
        return changes == 1 ? "change" : "changes";
    }
}
