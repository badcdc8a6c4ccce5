/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.config.Settings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How a command that works with a cluster is configured. */
final class ConfigurationOptions {
    @Option(names = "--config", paramLabel = "FILE", description = "Properties file with the configuration.")
    private Path file;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "A configuration key and its value.")
    private Map<String, String> settings = Map.of();

    /** The file's settings, the environment's over them, the flags' over both. */
    Settings settings() {
        Settings layers = new Settings();
        Optional.ofNullable(file).ifPresent(layers::file);
        return layers.environment(System.getenv()).flags(settings);
    }
}
