/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine.Command;

/** {@code tagstream policy}, which only lists its subcommands. */
@Command(
        name = "policy",
        description = "Shows and changes which scores become tags, for all instances of the application.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {PolicyShowCommand.class, PolicySetCommand.class})
public final class PolicyCommand extends CommandGroup implements Subcommand {}
