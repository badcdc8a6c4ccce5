/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** Options for the log on standard error, which always has warnings and errors. */
public final class LoggingOptions {
    @Option(
            names = {"-v", "--verbose"},
            description = "Write a detailed log to standard error.")
    private boolean verbose;

    /** Applies the options. */
    public void apply() {
        if (verbose) {
            level(Logger.ROOT_LOGGER_NAME, Level.INFO);
            level("org.apache.kafka", Level.INFO);
            level("kafka", Level.INFO);
            level("io.tagstream", Level.DEBUG);
        }
    }

    /** Also logs our own progress, as suits a service that nobody watches. */
    public void applyToService() {
        level("io.tagstream", Level.INFO);
        level("org.apache.kafka", Level.WARN);
        apply();
    }

    private static void level(String logger, Level level) {
        ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(logger).setLevel(level);
    }
}
