/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The labels in force as they were last encoded. A stored label that cannot be read counts as unknown.
 *
 * <p><i>Threading notes.</i> Used only by the encoder's stream thread.
 */
final class EncodedLabels {
    private static final Logger log = LoggerFactory.getLogger(EncodedLabels.class);

    private final KeyValueStore<String, LabelEmbedding> store;

    EncodedLabels(KeyValueStore<String, LabelEmbedding> store) {
        this.store = store;
    }

    /** A label, if it is known. */
    Optional<LabelEmbedding> find(String id) {
        try {
            return Optional.ofNullable(store.get(id));
        } catch (SerializationException e) {
            log.error("The stored entry of label {} cannot be read; the label counts as unknown", id, e);
            return Optional.empty();
        }
    }

    /** Replaces what was stored for a label; null removes it. */
    void put(String id, LabelEmbedding label) {
        store.put(id, label);
    }

    /** How many labels are known. */
    int size() {
        int[] size = {0};
        forEach((id, label) -> size[0] += label.isPresent() ? 1 : 0);
        return size[0];
    }

    /** The labels as their owners wrote them, by their ids. */
    Map<String, Label> labels() {
        Map<String, Label> labels = new LinkedHashMap<>();
        forEach((id, found) -> found.flatMap(EncodedLabels::label).ifPresent(label -> labels.put(id, label)));
        return labels;
    }

    /** The label as its owner wrote it. */
    static Optional<Label> label(LabelEmbedding encoded) {
        return encoded.getContent() instanceof EncodedLabel label ? Optional.of(label.getLabel()) : Optional.empty();
    }

    /** Whether everything that is stored can be read. */
    boolean isReadable() {
        boolean[] readable = {true};
        forEach((id, label) -> readable[0] &= label.isPresent());
        return readable[0];
    }

    /** Takes the labels that are unknown here from label-embeddings. */
    void adopt(WrittenEmbeddings written) {
        written.labels().forEach((id, label) -> {
            if (label.isPresent() && find(id).isEmpty()) {
                store.put(id, label.get());
            }
        });
    }

    /**
     * What must be written to label-embeddings so that it holds these labels and no others; empty for a label to
     * remove.
     */
    Map<String, Optional<LabelEmbedding>> missingIn(WrittenEmbeddings written) {
        Map<String, Optional<LabelEmbedding>> missing = new LinkedHashMap<>();
        written.labels().keySet().stream()
                .filter(id -> find(id).isEmpty())
                .forEach(id -> missing.put(id, Optional.empty()));
        forEach((id, label) -> {
            if (label.isPresent() && !label.equals(written.labels().get(id))) {
                missing.put(id, label);
            }
        });
        return missing;
    }

    /** The ids of stored entries that are not among the given labels, or cannot be read. */
    List<String> idsBut(Set<String> some) {
        List<String> others = new ArrayList<>();
        forEach((id, label) -> {
            if (label.isEmpty() || !some.contains(id)) {
                others.add(id);
            }
        });
        return others;
    }

    /** The ids of all labels, those included whose entries cannot be read. */
    List<String> ids() {
        return idsBut(Set.of());
    }

    private void forEach(BiConsumer<String, Optional<LabelEmbedding>> action) {
        try (KeyValueIterator<String, LabelEmbedding> all = store.all()) {
            while (all.hasNext()) {
                String id = all.peekNextKey();
                action.accept(id, next(all));
            }
        }
    }

    private static Optional<LabelEmbedding> next(KeyValueIterator<String, LabelEmbedding> all) {
        try {
            return Optional.of(all.next().value);
        } catch (SerializationException e) {
            log.error("An entry in the store of encoded labels cannot be read; its label counts as unknown", e);
            return Optional.empty();
        }
    }
}
