/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.Label;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The labels that ought to be in force: what was written to the vocabulary's topic since it was last recreated, and what
 * was in force before that if the new topic does not say otherwise.
 */
final class Labels {
    private record Edit(String id, Label label) {}

    private final List<Edit> edits = new ArrayList<>();
    private Map<String, Label> before = Map.of();

    /** Notes a record; a null label removes the label. */
    void write(String id, Label label) {
        edits.add(new Edit(id, label));
    }

    void topicIsRecreated() {
        before = inForce();
        edits.clear();
    }

    /** The labels in force once everything written has been encoded or refused. */
    Map<String, Label> inForce() {
        if (edits.isEmpty()) {
            return before; // an empty topic changes nothing
        }
        Map<String, Label> labels = new TreeMap<>();
        Set<String> met = new HashSet<>();
        for (Edit edit : edits) {
            boolean first = met.add(edit.id());
            if (edit.label() == null) {
                labels.remove(edit.id());
            } else if (!isRefused(edit.label())) {
                labels.put(edit.id(), edit.label());
            } else if (first && before.containsKey(edit.id())) {
                labels.put(edit.id(), before.get(edit.id())); // the version before stays in force
            }
        }
        return labels;
    }

    private static boolean isRefused(Label label) {
        return label.getName().isBlank() || (label.getThreshold() != null && label.getThreshold() > 1);
    }
}
