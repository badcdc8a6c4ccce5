/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A Kafka broker and a schema registry in their own process, so that their processor time is not the instance's. The
 * argument is a directory for the broker's data. When both run, it writes Kafka's address and the registry's, one per
 * line. It stops at the end of its standard input.
 */
final class BrokerMain {
    private BrokerMain() {}

    public static void main(String[] arguments) throws IOException {
        try (EmbeddedBroker broker = EmbeddedBroker.start(Path.of(arguments[0]), 0);
                LocalRegistry registry = LocalRegistry.start(broker.bootstrapServers(), 0)) {
            System.out.println(broker.bootstrapServers());
            System.out.println(registry.url());
            while (System.in.read() >= 0) {
                // nothing is sent
            }
        }
    }
}
