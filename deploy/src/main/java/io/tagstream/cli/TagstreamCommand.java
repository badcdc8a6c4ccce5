/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command without a subcommand: it only tells which there are. */
@Command(
        name = "tagstream",
        description = "Tags images as they are uploaded: image references in through Kafka, zero-shot tags out.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {LocalCommand.class, RunCommand.class, BenchCommand.class},
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
            "  tagstream bench pipeline                how fast this machine is",
            "",
            "Each command has its own --help."
        })
final class TagstreamCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a command is missing; there are "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /** The command line around this command, for tests of its help. */
    static CommandLine commandLine() {
        return new CommandLine(new TagstreamCommand());
    }
}
