/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.OperatorException;
import java.io.PrintWriter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The command {@code tagstream}. */
public final class Main {
    private static final Logger log = LoggerFactory.getLogger(Main.class);

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Runs a command and returns its exit code. */
    static int run(String... arguments) {
        return TagstreamCommand.commandLine()
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::wronglyGiven)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, command))
                .execute(arguments);
    }

    private static int wronglyGiven(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        // "option option" is picocli's own mistake
        err.println("tagstream: " + Printable.lines(failure.getMessage().replace("option option", "option")));
        CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
        pointToHelp(command);
        return ExitCode.USAGE;
    }

    private static void pointToHelp(CommandLine command) {
        command.getErr()
                .println("See '%s --help'".formatted(command.getCommandSpec().qualifiedName()));
    }

    private static int failed(Exception failure, CommandLine command) {
        if (failure instanceof OperatorException known) {
            log.debug("The command failed", known);
            command.getErr().println("tagstream: " + Printable.lines(known.getMessage()));
            if (known.kind() != OperatorException.Kind.INVALID) {
                return ExitCode.FAILED;
            }
            pointToHelp(command);
            return ExitCode.USAGE;
        }
        log.error("The command failed unexpectedly", failure);
        command.getErr().println("tagstream: " + Printable.lines(failure.toString()));
        return ExitCode.FAILED;
    }
}
