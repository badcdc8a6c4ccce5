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
 * Avro loads only classes that it was told to trust. This class tells it to trust the contracts' generated classes, in
 * addition to what the process trusts already. It takes effect with the first use of a serde.
 */
final class TrustedContracts {
    private static final Set<String> PACKAGES =
            Set.of(ImageReference.class.getPackageName(), PendingImage.class.getPackageName());

    static {
        ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(
                ClassSecurityValidator.getGlobal(), type -> PACKAGES.contains(type.getPackageName())));
    }

    private TrustedContracts() {}

    /** Makes sure that the static initialiser has run. */
    static void load() {}
}
