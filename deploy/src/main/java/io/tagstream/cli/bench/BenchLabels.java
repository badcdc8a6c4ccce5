/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli.bench;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.vocabulary.BundleVocabulary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Vocabularies of any size: a bundle's own labels, then made-up ones. */
final class BenchLabels {
    private BenchLabels() {}

    /** Labels by their ids, in an order that is the same every time. All share the model's threshold. */
    static Map<String, Label> ofSize(int size, String bundle) {
        Map<String, Label> own = BundleVocabulary.read(bundle);
        Map<String, Label> labels = new LinkedHashMap<>();
        own.entrySet().stream()
                .limit(size)
                .forEach(label -> labels.put(
                        label.getKey(),
                        label(label.getValue().getName(), label.getValue().getPrompts())));
        List<Label> named = new ArrayList<>(labels.values());
        for (int i = 0; labels.size() < size; i++) {
            // two things at once: real words, and as many of them as anyone wants
            Label first = named.get(i % named.size());
            String name = first.getName() + " and "
                    + named.get(i / named.size() % named.size()).getName()
                    + (i < named.size() * named.size() ? "" : " " + i);
            labels.put("bench-" + i, label(name, List.of()));
        }
        return labels;
    }

    private static Label label(String name, List<String> prompts) {
        return Label.newBuilder()
                .setName(name)
                .setPrompts(prompts)
                .setState(LabelState.ACTIVE)
                .build();
    }
}
