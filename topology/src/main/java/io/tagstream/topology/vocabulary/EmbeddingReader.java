/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.model.ModelDescription;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads values of label-embeddings. The label encoder must treat as readable exactly what the instances accept;
 * otherwise it would never rewrite the records that they leave out.
 *
 * @param topic the topic's name
 * @param model the model whose vectors are expected
 */
public record EmbeddingReader(String topic, ModelDescription model, Deserializer<LabelEmbedding> deserializer) {
    /**
     * A record's key.
     *
     * @throws IllegalArgumentException if the key is not valid
     */
    public static EmbeddingKey key(byte[] rawKey) {
        if (rawKey == null) {
            throw new IllegalArgumentException("The record has no key");
        }
        return EmbeddingKey.parse(new String(rawKey, StandardCharsets.UTF_8));
    }

    /**
     * A record's value: under a label's key, an encoded label, or null, which removes the label; under a marker's key,
     * a marker.
     *
     * @throws RuntimeException if the value is not valid or cannot be read; {@link io.tagstream.topology.records.Blame}
     *     says whose fault it is
     */
    public LabelEmbedding value(EmbeddingKey key, byte[] rawValue) {
        LabelEmbedding embedding = deserializer.deserialize(topic, rawValue);
        if (key.isMarker()) {
            if (embedding == null || !(embedding.getContent() instanceof VocabularyMarker)) {
                throw new IllegalArgumentException("The record is not a marker");
            }
        } else if (embedding != null) {
            requireLabel(embedding);
        }
        return embedding;
    }

    /** @throws IllegalArgumentException if this is not a label with one of the model's vectors */
    private void requireLabel(LabelEmbedding embedding) {
        if (!(embedding.getContent() instanceof EncodedLabel label)) {
            throw new IllegalArgumentException("The record is not an encoded label");
        }
        int bytes = label.getVector().remaining();
        if (bytes != model.embeddingSize() * Float.BYTES) {
            throw new IllegalArgumentException(
                    "The vector has " + bytes + " bytes, expected " + model.embeddingSize() * Float.BYTES);
        }
    }
}
