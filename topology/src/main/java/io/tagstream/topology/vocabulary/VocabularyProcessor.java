/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;

/** The global processor: hands every label-embeddings record to the {@link Vocabulary}. It keeps nothing of its own. */
public final class VocabularyProcessor implements Processor<byte[], byte[], Void, Void> {
    private final Vocabulary vocabulary;

    public VocabularyProcessor(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    @Override
    public void process(Record<byte[], byte[]> embedding) {
        vocabulary.apply(embedding.key(), embedding.value());
    }
}
