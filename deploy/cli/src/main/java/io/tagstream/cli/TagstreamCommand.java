/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command without a subcommand, which only lists the subcommands. */
@Command(
        name = "tagstream",
        description = "Tags images as they are uploaded: image references in through Kafka, zero-shot tags out.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the command could not do its work",
            "2:wrong usage",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream local --once                  tag the sample photos",
            "  tagstream local ~/Pictures              tag a folder, then follow its changes",
            "  tagstream run --config tagstream.properties",
            "                                          tag what arrives on a Kafka cluster",
            "  tagstream index --url http://search:9200 --config tagstream.properties",
            "                                          keep a search index of the tags",
            "  tagstream labels add heron              add a label that images can get from now on",
            "  tagstream submit https://example.org/heron.jpg --config tagstream.properties --wait",
            "                                          submit an image, and wait for its tags",
            "  tagstream tail --config tagstream.properties",
            "                                          follow the tags as images are tagged",
            "  tagstream failures list --config tagstream.properties",
            "                                          list what could not be tagged, and why",
            "  tagstream bench pipeline                measure how fast this machine is",
            "",
            "Each command has its own --help."
        })
final class TagstreamCommand extends CommandGroup {
    /** Returns the command line with the commands of every room on the class path, in alphabetical order. */
    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new TagstreamCommand());
        List<Subcommand> subcommands = ServiceLoader.load(Subcommand.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparing(Subcommand::group).thenComparing(TagstreamCommand::name))
                .toList();
        for (Subcommand subcommand : subcommands) {
            CommandLine group = subcommand.group().isEmpty()
                    ? commandLine
                    : commandLine.getSubcommands().get(subcommand.group());
            group.addSubcommand(subcommand);
        }
        return commandLine;
    }

    private static String name(Subcommand subcommand) {
        return subcommand.getClass().getAnnotation(Command.class).name();
    }
}
