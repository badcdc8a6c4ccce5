/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The embedded broker and registry, on free ports and in their own directory. */
final class EmbeddedCluster implements TestCluster {
    private final Path directory;
    private final EmbeddedBroker broker;
    private final LocalRegistry registry;

    EmbeddedCluster() throws IOException {
        directory = Files.createTempDirectory("tagstream-it-");
        broker = EmbeddedBroker.start(directory, 0);
        registry = startRegistry();
    }

    private LocalRegistry startRegistry() throws IOException {
        try {
            return LocalRegistry.start(broker.bootstrapServers(), 0);
        } catch (IOException | RuntimeException failed) {
            broker.close();
            throw failed;
        }
    }

    @Override
    public String bootstrapServers() {
        return broker.bootstrapServers();
    }

    @Override
    public String registryUrl() {
        return registry.url();
    }

    @Override
    public void close() throws IOException {
        registry.close();
        broker.close();
        List<Path> innermostFirst;
        try (Stream<Path> files = Files.walk(directory)) {
            innermostFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : innermostFirst) {
            Files.delete(file);
        }
    }
}
