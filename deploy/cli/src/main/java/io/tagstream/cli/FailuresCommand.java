/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine.Command;

/** {@code tagstream failures}, which only lists its subcommands. */
@Command(
        name = "failures",
        description = "Lists images that could not be tagged and records that could not be read; submits them again.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {FailuresListCommand.class, FailuresReplayCommand.class})
public final class FailuresCommand extends CommandGroup implements Subcommand {}
