/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import io.tagstream.avro.Label;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The vocabulary as it is in its topic: what people have written, whether or not it is in force yet.
 *
 * <p><i>Threading notes.</i> Any number of threads may change and read it.
 */
public final class VocabularyView {
    private volatile Map<String, Label> labels = Map.of();

    /** A snapshot of the labels, sorted by id. */
    public Map<String, Label> labels() {
        return labels;
    }

    /** The label, if there is one. */
    public Optional<Label> find(String labelId) {
        return Optional.ofNullable(labels.get(labelId));
    }

    /** Applies changes; null stands for a removed label. */
    public synchronized void apply(Map<String, Label> changes) {
        Map<String, Label> after = new TreeMap<>(labels);
        changes.forEach((id, label) -> {
            if (label == null) {
                after.remove(id);
            } else {
                after.put(id, label);
            }
        });
        labels = Collections.unmodifiableMap(after);
    }
}
