/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that does nothing itself: without a subcommand, it fails and lists its subcommands. */
public abstract class CommandGroup implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public final void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a %s is missing: %s"
                        .formatted(
                                spec.usageMessage().synopsisSubcommandLabel().toLowerCase(Locale.ROOT),
                                String.join(", ", spec.subcommands().keySet())));
    }
}
