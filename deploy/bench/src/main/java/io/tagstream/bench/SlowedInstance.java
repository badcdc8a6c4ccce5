/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.settings.Settings;
import io.tagstream.inference.ModelRuntimes;
import io.tagstream.model.ModelRuntime;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/**
 * An instance of Tagstream in its own process, so that its memory is its own; a factor above 1 slows its model. Its
 * arguments are the factor and settings, {@code KEY=VALUE} each. When it is ready, it writes the port of its metrics to
 * standard output. For every byte of its standard input, it writes the heap in use after a collection, in bytes. It
 * stops at the end of its standard input.
 */
final class SlowedInstance {
    private static final Duration READY = Duration.ofMinutes(30);

    private SlowedInstance() {}

    public static void main(String[] arguments) throws IOException, InterruptedException, TimeoutException {
        int factor = Integer.parseInt(arguments[0]);
        Settings settings = new Settings();
        for (int i = 1; i < arguments.length; i++) {
            String[] setting = arguments[i].split("=", 2);
            settings.with(setting[0], setting[1]);
        }
        TagstreamConfig config = settings.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings());
                Operations operations = new Operations(config, Optional::empty, Optional::empty);
                ModelRuntime runtime =
                        ModelRuntimes.open(config, operations.metrics(), stages -> new SlowedStages(stages, factor));
                Tagstream tagstream = new Tagstream(config, runtime, registry, operations.metrics())) {
            tagstream.start();
            tagstream.awaitReady(READY);
            System.out.println(operations.port().orElseThrow());
            while (System.in.read() >= 0) {
                System.gc();
                System.out.println(
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
            }
        }
    }
}
