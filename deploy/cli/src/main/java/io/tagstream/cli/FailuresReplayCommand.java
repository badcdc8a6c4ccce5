/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tagstream.cluster.failures.FailureReader;
import io.tagstream.cluster.failures.Replay;
import io.tagstream.cluster.failures.Replay.Item;
import io.tagstream.cluster.failures.Resubmission;
import io.tagstream.cluster.failures.Resubmission.Sent;
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

/** {@code tagstream failures replay}. */
@Command(
        name = "replay",
        description = {
            "Submits what failed again, with the same key, value and headers, and writes a line for each record: where"
                    + " it was, where it is now, image id, reason. Use it once the cause of the failures is fixed.",
            "",
            "It submits the current failures of images (see failures list --help) to the images topic, once each, and"
                    + " leaves out images that have since been submitted again or deleted. Dead letters go to the topic"
                    + " that they were found on, each time that they are selected. On a terminal it asks first.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream failures replay --config tagstream.properties --dry-run",
            "  tagstream failures replay --config tagstream.properties --reason FETCH_TIMEOUT --since 12h",
            "  tagstream failures replay --config tagstream.properties --id upload-1 --id upload-2",
            "  tagstream failures replay --config tagstream.properties --dead-letters --id images-0@1207"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything selected was submitted again, now or earlier; or there was nothing to select",
            "1:some or all records could not be submitted again; standard error says which and why",
            "2:wrong usage or configuration; nothing was done"
        })
final class FailuresReplayCommand implements Callable<Integer> {
    @Mixin
    private FailureOptions failures;

    @Option(names = "--dry-run", description = "Only say what would be submitted.")
    private boolean dryRun;

    @Option(
            names = "--json",
            description = "Write one JSON object per line: id, reason, origin (where it was) and resubmission (where it"
                    + " is now; null with --dry-run).")
    private boolean json;

    @Option(names = "--yes", description = "Do not ask for confirmation.")
    private boolean yes;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        Selection selection = failures.selection(Instant.now());
        TagstreamConfig config = cluster.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Contracts contracts = new Contracts(registry);
            try (FailureReader reader = new FailureReader(config, contracts, Terminal::note);
                    Resubmission resubmission = new Resubmission(config, contracts)) {
                Replay replay = failures.deadLetters()
                        ? Replay.ofDeadLetters(reader, resubmission, selection, Terminal::note)
                        : Replay.ofImages(reader, resubmission, selection, Terminal::note);
                return replay(replay);
            }
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    private int replay(Replay replay) {
        List<Item> items = replay.items();
        int submitted = 0;
        if (items.isEmpty()) {
            Terminal.note("nothing to submit");
        } else if (dryRun) {
            items.forEach(item -> print(item, null));
        } else if (yes || confirmed(items.size())) {
            submitted = submit(items);
            Terminal.note("%d of %d submitted again".formatted(submitted, items.size()));
        } else {
            Terminal.note("nothing was submitted");
            return ExitCode.DONE;
        }
        boolean all = replay.obstructed() == 0 && (dryRun || submitted == items.size());
        return all ? ExitCode.DONE : ExitCode.FAILED;
    }

    private static boolean confirmed(int number) {
        return Terminal.ask("submit %d %s again?".formatted(number, number == 1 ? "record" : "records"));
    }

    private int submit(List<Item> items) {
        List<Sent> sent = items.stream().map(item -> item.submission().get()).toList();
        int submitted = 0;
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            try {
                String place = sent.get(i).await();
                submitted++;
                print(item, place);
            } catch (KafkaException e) {
                Terminal.note("%s, %s was not submitted: %s".formatted(item.origin(), item.what(), e.getMessage()));
            }
        }
        return submitted;
    }

    /** Writes a line; {@code place} is null if the record was not submitted. */
    private void print(Item item, String place) {
        PrintStream output = Terminal.utf8Output();
        if (json) {
            output.println(JsonNodeFactory.instance
                    .objectNode()
                    .put("id", item.id())
                    .put("reason", item.reason().map(Enum::name).orElse(null))
                    .put("origin", item.origin())
                    .put("resubmission", place));
        } else {
            output.println(Printable.of(
                    place == null
                            ? "would submit %s  %s".formatted(item.origin(), item.what())
                            : "%s -> %s  %s".formatted(item.origin(), place, item.what())));
        }
        output.flush();
    }
}
