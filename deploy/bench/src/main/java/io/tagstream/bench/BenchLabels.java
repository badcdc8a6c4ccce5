/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.vocabulary.BundleVocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Vocabularies of any size: a bundle's own labels or those of a file, then made-up ones. */
final class BenchLabels {
    private BenchLabels() {}

    /** Labels by id, always in the same order. All use the model's threshold. */
    static Map<String, Label> ofSize(int size, String bundle) {
        return ofSize(size, BundleVocabulary.read(bundle));
    }

    /**
     * The same with the labels of a file instead of a bundle's own.
     *
     * @param file a text file with one label name per line
     */
    static Map<String, Label> ofSize(int size, Path file) {
        Map<String, Label> own = new LinkedHashMap<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.map(String::strip)
                    .filter(name -> !name.isEmpty())
                    .distinct()
                    .forEach(name -> own.put("word-" + own.size(), label(name, List.of())));
        } catch (IOException | UncheckedIOException e) {
            throw OperatorException.invalid("the vocabulary %s cannot be read: %s".formatted(file, e), e);
        }
        if (own.isEmpty()) {
            throw OperatorException.invalid(
                    "the vocabulary %s has no labels; give a file with one label per line".formatted(file));
        }
        return ofSize(size, own);
    }

    private static Map<String, Label> ofSize(int size, Map<String, Label> own) {
        Map<String, Label> labels = new LinkedHashMap<>();
        own.entrySet().stream()
                .limit(size)
                .forEach(label -> labels.put(
                        label.getKey(),
                        label(label.getValue().getName(), label.getValue().getPrompts())));
        List<Label> named = new ArrayList<>(labels.values());
        for (int i = 0; labels.size() < size; i++) {
            // pairs of names: made of real words, and enough for any size
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
