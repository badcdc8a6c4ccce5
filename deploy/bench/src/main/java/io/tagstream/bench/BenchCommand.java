/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cli.CommandGroup;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Version;
import picocli.CommandLine.Command;

/** {@code tagstream bench}: only lists the benchmarks. */
@Command(
        name = "bench",
        description = "Measures Tagstream on this machine. What is compared is measured in turn, in one run.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "BENCHMARK",
        subcommands = {
            BenchPipelineCommand.class,
            BenchCeilingCommand.class,
            BenchRetagCommand.class,
            BenchVocabularyCommand.class,
            BenchIndexCommand.class,
            BenchBackPressureCommand.class
        })
public final class BenchCommand extends CommandGroup implements Subcommand {}
