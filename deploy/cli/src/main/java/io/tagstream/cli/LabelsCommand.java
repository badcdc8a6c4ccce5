/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import picocli.CommandLine.Command;

/** {@code tagstream labels}, to edit the vocabulary by hand. */
@Command(
        name = "labels",
        description = {
            "Shows and changes the vocabulary of a running Tagstream through its topic.",
            "",
            "A command that changes labels waits until the change is in force, or says what was refused and why.%n"
        },
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            LabelsListCommand.class,
            LabelsAddCommand.class,
            LabelsSetCommand.class,
            LabelsRemoveCommand.class,
            LabelsImportCommand.class,
            LabelsExportCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream labels list --config tagstream.properties",
            "  tagstream labels add heron --prompt 'a photo of a heron' --shadow",
            "  tagstream labels set heron --threshold 0.8 --state active",
            "  tagstream labels remove heron",
            "  tagstream labels import birds.csv",
            "  tagstream labels import --bundle",
            "  tagstream labels export vocabulary.csv"
        })
public final class LabelsCommand extends CommandGroup implements Subcommand {}
