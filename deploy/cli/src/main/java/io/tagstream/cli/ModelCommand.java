/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine.Command;

/** {@code tagstream model}, which only lists its subcommands. */
@Command(
        name = "model",
        description = "Describes a model, checks whether it is intact, and puts it in force on a cluster.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ModelInspectCommand.class,
            ModelVerifyCommand.class,
            ModelListCommand.class,
            ModelUseCommand.class
        })
public final class ModelCommand extends CommandGroup implements Subcommand {}
