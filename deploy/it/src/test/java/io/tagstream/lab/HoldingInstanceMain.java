/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.cluster.topics.Startup;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The process of an instance that holds images, until it is killed. Its arguments are its settings, {@code key=value}. */
final class HoldingInstanceMain {
    private HoldingInstanceMain() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        for (String argument : List.of(arguments)) {
            int equals = argument.indexOf('=');
            settings.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        TagstreamConfig config = new TagstreamConfig(settings);
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Startup.prepare(config, registry, () -> false);
            try (WatchedModel model = new WatchedModel(new WordModel(config), true);
                    Tagstream tagstream = new Tagstream(config, model, registry)) {
                tagstream.start();
                throw new IllegalStateException(tagstream.failure().join());
            }
        }
    }
}
