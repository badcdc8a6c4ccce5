/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ClusterControl;
import io.tagstream.topology.control.Controls;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tagstream model list}. */
@Command(
        name = "list",
        description = "Lists the bundle in force, and those that were in force before, the latest first.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:listed", "1:the cluster cannot be read", "2:wrong usage or configuration"})
final class ModelListCommand implements Callable<Integer> {
    @Mixin
    private ControlOptions control;

    @Override
    public Integer call() {
        ClusterControl now = control.read();
        control.print(now, output -> {
            output.println(Terminal.Colour.GOOD.of("in force  ")
                    + Printable.of(Controls.named(now.getBundle()))
                    + Terminal.Colour.QUIET.of(
                            " since %s, control revision %d".formatted(now.getChangedAt(), now.getRevision())));
            now.getEarlier()
                    .forEach(bundle -> output.println(
                            Terminal.Colour.QUIET.of("before    ") + Printable.of(Controls.named(bundle))));
        });
        return ExitCode.DONE;
    }
}
