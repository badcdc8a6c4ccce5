/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.settings.Settings;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The configuration options of commands that work with a cluster. */
public final class ClusterOptions {
    @Option(names = "--config", paramLabel = "FILE", description = "Properties file with the configuration.")
    private Path file;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "A configuration key and its value.")
    private Map<String, String> settings = Map.of();

    /**
     * Returns the configuration: the file, overridden by environment variables, overridden by flags.
     *
     * @throws io.tagstream.cluster.OperatorException if it is wrong
     */
    public TagstreamConfig config() {
        Settings layers = new Settings();
        Optional.ofNullable(file).ifPresent(layers::file);
        return layers.environment(System.getenv()).flags(settings).config();
    }
}
