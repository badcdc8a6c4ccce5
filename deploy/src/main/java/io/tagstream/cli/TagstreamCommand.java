/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command without a subcommand: it only tells which there are. */
@Command(
        name = "tagstream",
        description = "Tags images as they are uploaded: image references in through Kafka, zero-shot tags out.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            LocalCommand.class,
            RunCommand.class,
            IndexCommand.class,
            LabelsCommand.class,
            ExplainCommand.class,
            SubmitCommand.class,
            TailCommand.class,
            FailuresCommand.class,
            TopicsCommand.class,
            ModelCommand.class,
            BenchCommand.class,
            CompletionCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:something kept the command from its work",
            "2:wrong usage",
            "130, 143:ended in order by Ctrl-C or SIGTERM"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream local --once                  tag the sample photos",
            "  tagstream local ~/Pictures              tag a folder, then follow its changes",
            "  tagstream run --config tagstream.properties",
            "                                          tag what arrives on a Kafka cluster",
            "  tagstream index --url http://search:9200 --config tagstream.properties",
            "                                          keep a search index of the tags",
            "  tagstream labels add heron              have a new label on every image from now on",
            "  tagstream submit https://example.org/heron.jpg --config tagstream.properties --wait",
            "                                          have an image tagged, and see what becomes of it",
            "  tagstream tail --config tagstream.properties",
            "                                          follow what is tagged",
            "  tagstream failures list --config tagstream.properties",
            "                                          what could not be tagged, and why",
            "  tagstream bench pipeline                how fast this machine is",
            "",
            "Each command has its own --help."
        })
final class TagstreamCommand extends CommandGroup {
    /** The command line around this command, for tests of its help. */
    static CommandLine commandLine() {
        return new CommandLine(new TagstreamCommand());
    }
}
