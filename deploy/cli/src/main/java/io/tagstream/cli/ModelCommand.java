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
        description = "Describes a model, and checks whether it is intact.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {ModelInspectCommand.class, ModelVerifyCommand.class})
public final class ModelCommand extends CommandGroup implements Subcommand {}
