/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.ImageReference;
import io.tagstream.topology.records.Shortened;
import java.util.Map;

/** The part of an oversized image reference that is kept in a record: enough for a person to recognise it. */
final class TruncatedReference {
    private static final int LONGEST_URI = 1_000;
    private static final int SHA256_DIGITS = 64;

    private TruncatedReference() {}

    static ImageReference of(ImageReference reference) {
        String sha256 = reference.getSha256();
        return ImageReference.newBuilder()
                .setUri(Shortened.of(reference.getUri(), LONGEST_URI))
                .setSha256(sha256 != null && sha256.length() == SHA256_DIGITS ? sha256 : null)
                .setAttributes(Map.of())
                .setSubmittedAt(reference.getSubmittedAt())
                .build();
    }
}
