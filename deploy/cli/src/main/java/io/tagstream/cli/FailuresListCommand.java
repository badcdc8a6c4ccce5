/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.failures.FailureReader;
import io.tagstream.cluster.failures.Selection;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.PrintStream;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream failures list}. */
@Command(
        name = "list",
        description = {
            "Lists the images that could not be tagged, oldest first, one per line: time, image id, reason, where its"
                    + " record is on images, attempts, message. Reads what exists at the start, and ends.",
            "",
            "It lists only current failures: the latest one of each image id, unless the image has been tagged or"
                    + " deleted since. --all lists the others too.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream failures list --config tagstream.properties",
            "  tagstream failures list --config tagstream.properties --reason FETCH_TIMEOUT,FETCH_FAILED --since 12h",
            "  tagstream failures list --config tagstream.properties --json --all > failures.jsonl",
            "  tagstream failures list --config tagstream.properties --dead-letters --limit 10"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:listed, even if there was nothing to list",
            "1:the cluster or the registry cannot be read",
            "2:wrong usage or configuration"
        })
final class FailuresListCommand implements Callable<Integer> {
    @Mixin
    private FailureOptions failures;

    @Option(names = "--all", description = "Also list failures that are no longer current.")
    private boolean all;

    @Option(names = "--limit", paramLabel = "N", description = "List only the latest N failures. Default: no limit.")
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
        Selection selection = failures.selection(Instant.now());
        TagstreamConfig config = cluster.config();
        FailureFormat format = json ? FailureFormat.JSON : FailureFormat.TEXT;
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings());
                FailureReader reader = new FailureReader(config, new Contracts(registry), Terminal::note)) {
            List<String> lines;
            if (failures.deadLetters()) {
                lines = reader.deadLetters(selection).stream().map(format::line).toList();
            } else {
                lines = (all ? reader.all(selection) : reader.current(selection))
                        .stream().map(format::line).toList();
            }
            print(lines);
            return ExitCode.DONE;
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    private void print(List<String> lines) {
        PrintStream output = Terminal.utf8Output();
        int from = limit == null ? 0 : Math.max(0, lines.size() - limit);
        lines.subList(from, lines.size()).forEach(output::println);
        output.flush();
    }
}
