/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.local.broker.EmbeddedBroker;
import io.tagstream.local.registry.LocalRegistry;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The broker's process. The arguments are its data directory, its port and the registry's port. The registry starts and
 * stops on command. The process ends by {@code kill -9}, or when its parent ends.
 */
final class BrokerMain {
    static final String STARTED = "started";
    static final String REGISTRY_ON = "registry on";
    static final String REGISTRY_OFF = "registry off";

    private final EmbeddedBroker broker;
    private final int registryPort;
    private LocalRegistry registry;

    private BrokerMain(EmbeddedBroker broker, int registryPort) {
        this.broker = broker;
        this.registryPort = registryPort;
    }

    public static void main(String[] arguments) throws IOException {
        EmbeddedBroker broker = EmbeddedBroker.start(Path.of(arguments[0]), Integer.parseInt(arguments[1]));
        ChildProcess.announce(STARTED);
        Commands.read(new BrokerMain(broker, Integer.parseInt(arguments[2]))::follow);
    }

    private void follow(String command) throws IOException {
        switch (command) {
            case REGISTRY_ON -> {
                if (registry == null) {
                    registry = LocalRegistry.start(broker.bootstrapServers(), registryPort);
                }
            }
            case REGISTRY_OFF -> {
                if (registry != null) {
                    registry.close();
                    registry = null;
                }
            }
            default -> throw new IllegalArgumentException("Unknown command " + command);
        }
    }
}
