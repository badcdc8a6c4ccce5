/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.OperatorException;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.topology.config.TagstreamConfig;
import picocli.CommandLine.Parameters;

/** The bundle argument of a command. */
final class BundleArgument {
    @Parameters(
            arity = "0..1",
            paramLabel = "BUNDLE",
            description = "The bundle's directory, or classpath: and its path in a jar. Default: the model that"
                    + " comes with Tagstream.")
    private String location;

    /**
     * Loads the bundle, which checks every file against its checksum.
     *
     * @throws OperatorException if anything is wrong with the bundle
     */
    Bundle load() {
        String bundle = location == null
                ? (String) TagstreamConfig.definition().configKeys().get(TagstreamConfig.MODEL_BUNDLE).defaultValue
                : location;
        try {
            return Bundle.load(bundle);
        } catch (BundleException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
    }
}
