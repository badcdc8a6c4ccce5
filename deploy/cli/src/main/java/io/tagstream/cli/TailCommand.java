/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.cluster.outcomes.OutcomeReader;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream tail}. */
@Command(
        name = "tail",
        description = {
            "Follows the images that are tagged from now on: one line per image with all its tags, as they are"
                    + " committed. It also shows deletions. Ctrl-C ends it.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream tail --config tagstream.properties",
            "  tagstream tail --config tagstream.properties --failures",
            "  tagstream tail --config tagstream.properties --from-beginning --json > tags.jsonl"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:--limit lines were written",
            "1:the cluster or the registry cannot be read",
            "2:wrong usage or configuration",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
public final class TailCommand implements Callable<Integer>, Subcommand {
    private static final Duration TURN = Duration.ofMillis(200);

    @Option(names = "--failures", description = "Follow the images that could not be tagged instead, and why.")
    private boolean failures;

    @Option(names = "--from-beginning", description = "Begin with the oldest records that are kept.")
    private boolean fromBeginning;

    @Option(names = "--limit", paramLabel = "N", description = "End after N lines. Default: no limit.")
    private Integer limit;

    @Option(names = "--json", description = "Write one JSON object per line.")
    private boolean json;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        if (limit != null && limit < 1) {
            throw OperatorException.invalid("--limit %d: must be at least 1".formatted(limit));
        }
        TagstreamConfig config = cluster.config();
        try (StopSignal stop = new StopSignal();
                SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings());
                OutcomeReader reader = new OutcomeReader(config, new Contracts(registry))) {
            if (fromBeginning) {
                reader.readFromBeginning();
            } else {
                reader.readFromNow();
            }
            follow(reader, stop);
            return stop.exitCode();
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    private void follow(OutcomeReader reader, StopSignal stop) {
        PrintStream output = Terminal.utf8Output();
        OutcomeFormat format = json ? OutcomeFormat.JSON : OutcomeFormat.TEXT;
        int lines = 0;
        while (!stop.isRequested()) {
            for (ImageOutcome outcome : reader.poll(TURN, complaint -> {})) {
                if (outcome instanceof ImageOutcome.Failed != failures) {
                    continue;
                }
                output.println(json ? format.line(outcome) : coloured(format.line(outcome)));
                if (limit != null && ++lines == limit) {
                    output.flush();
                    return;
                }
            }
            output.flush();
            if (output.checkError()) {
                return; // nobody is reading any more
            }
        }
    }

    /** Colours the id, so it stands out from the rest of the line. */
    private String coloured(String line) {
        int end = line.indexOf("  ");
        Terminal.Colour colour = failures ? Terminal.Colour.BAD : Terminal.Colour.GOOD;
        return end < 0 ? line : colour.of(line.substring(0, end)) + line.substring(end);
    }
}
