/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

/**
 * Key of a label-embeddings record: text fingerprint, '/', label id. Fingerprints are hexadecimal, so the first slash
 * ends them; the marker's label id is empty, and no label's is.
 */
public record EmbeddingKey(String textFingerprint, String labelId) {
    public static EmbeddingKey marker(String textFingerprint) {
        return new EmbeddingKey(textFingerprint, "");
    }

    /**
     * Reads a key.
     *
     * @throws IllegalArgumentException if it has no slash
     */
    public static EmbeddingKey parse(String key) {
        int slash = key.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException(
                    "The label-embeddings key '" + key + "' is not of the form fingerprint/labelId");
        }
        return new EmbeddingKey(key.substring(0, slash), key.substring(slash + 1));
    }

    public boolean isMarker() {
        return labelId.isEmpty();
    }

    @Override
    public String toString() {
        return textFingerprint + "/" + labelId;
    }
}
