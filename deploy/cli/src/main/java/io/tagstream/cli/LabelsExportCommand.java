/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.vocabulary.VocabularyCsv;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code tagstream labels export}. */
@Command(
        name = "export",
        description = "Writes the vocabulary as a CSV file that import can read.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LabelsExportCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "FILE.csv",
            description = "The file to write. Default: standard output.")
    private Path file;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        return labels.with(access -> {
            Map<String, Label> present = access.topic().read().labels();
            String csv = VocabularyCsv.write(present);
            if (file == null) {
                PrintStream out = Terminal.exactOutput();
                out.print(Terminal.isShown() ? Printable.lines(csv) : csv);
                out.flush();
                return ExitCode.DONE;
            }
            try {
                Files.writeString(file, csv);
            } catch (IOException e) {
                throw OperatorException.failed("%s cannot be written: %s".formatted(file, e), e);
            }
            System.out.printf("%d labels written to %s.%n", present.size(), file);
            return ExitCode.DONE;
        });
    }
}
