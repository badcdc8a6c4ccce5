/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import io.tagstream.schemas.registry.SchemaRegistryContract;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Holds a third-party registry to the same contract, so that the contract is not merely what ours does. */
@EnabledIfSystemProperty(
        named = ApicurioRegistry.DIRECTORY,
        matches = ".+",
        disabledReason = "Apicurio Registry was not fetched: run Maven with -Papicurio")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@InFull
class ApicurioRegistryIT extends SchemaRegistryContract {
    private ApicurioRegistry registry;

    @BeforeAll
    void start() throws IOException {
        Path jdk = ApicurioRegistry.jdk()
                .orElseThrow(() -> new IllegalStateException(
                        "Apicurio Registry needs a JDK of 21 or later: set -Dit.registry.jdk=<its home>"));
        registry = ApicurioRegistry.start(
                ApicurioRegistry.distribution(),
                jdk,
                Path.of("target", "apicurio.log").toFile());
    }

    @AfterAll
    void stop() {
        if (registry != null) {
            registry.close();
        }
    }

    @Override
    protected String url() {
        return registry.url();
    }
}
