/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code tagstream completion}. */
@Command(
        name = "completion",
        description = "Prints a script that makes bash and zsh complete commands and options.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(tagstream completion)                   in this shell",
            "  tagstream completion > ~/.local/share/bash-completion/completions/tagstream"
        })
public final class CompletionCommand implements Callable<Integer>, Subcommand {
    @Override
    public Integer call() {
        CommandLine tagstream = TagstreamCommand.commandLine();
        System.out.print(AutoComplete.bash("tagstream", tagstream));
        System.out.flush();
        return ExitCode.DONE;
    }
}
