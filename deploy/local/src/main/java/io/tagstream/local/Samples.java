/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.cluster.OperatorException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The sample photos that come with the launcher. */
public final class Samples {
    /** The launcher's directory, set by the launcher. */
    private static final String HOME_PROPERTY = "tagstream.home";

    private Samples() {}

    /**
     * The samples' directory.
     *
     * @throws OperatorException for wrong usage, if there are none
     */
    public static Path directory() {
        Path samples = Path.of(System.getProperty(HOME_PROPERTY, ".")).resolve("samples");
        if (!Files.isDirectory(samples)) {
            throw OperatorException.invalid(
                    "no sample photos in %s; give the images to tag".formatted(samples.toAbsolutePath()));
        }
        return samples;
    }
}
