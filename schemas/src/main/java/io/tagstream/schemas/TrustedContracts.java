/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.state.PendingImage;
import java.util.Set;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * Avro loads no class that it was not told to trust. This tells it to trust the contracts' generated classes, beside
 * whatever the process trusts already; it is in force from the first use of a serde on.
 */
final class TrustedContracts {
    private static final Set<String> PACKAGES =
            Set.of(ImageReference.class.getPackageName(), PendingImage.class.getPackageName());

    static {
        ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(
                ClassSecurityValidator.getGlobal(), type -> PACKAGES.contains(type.getPackageName())));
    }

    private TrustedContracts() {}

    /** Runs the static initialiser, which the first call does and later ones do not repeat. */
    static void load() {}
}
