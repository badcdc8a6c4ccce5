/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.TagPolicy;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tagstream policy show}. */
@Command(
        name = "show",
        description = "Shows the tag policy in force.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:shown", "1:the cluster cannot be read", "2:wrong usage or configuration"})
final class PolicyShowCommand implements Callable<Integer> {
    @Mixin
    private ControlOptions control;

    @Override
    public Integer call() {
        ClusterControl now = control.read();
        control.print(now, output -> print(now.getPolicy(), output));
        return ExitCode.DONE;
    }

    static void print(TagPolicy policy, PrintStream output) {
        line(
                output,
                "min-score",
                policy.getMinScore() == null
                        ? "default: each label's threshold, or the bundle's"
                        : String.valueOf(policy.getMinScore()));
        line(
                output,
                "top-k",
                policy.getTopK() == null ? "default: the bundle's number" : String.valueOf(policy.getTopK()));
        line(output, "scores-floor", String.valueOf(policy.getScoresFloor()));
    }

    private static void line(PrintStream output, String name, String value) {
        output.println(Terminal.Colour.QUIET.of("%-14s".formatted(name)) + value);
    }
}
