/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import io.tagstream.model.LabelText;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** The tests' bundle, and copies of it to change. */
final class TinyBundle {
    static final String LOCATION = "classpath:io/tagstream/bundles/tiny";

    private TinyBundle() {}

    static Bundle load() {
        return Bundle.load(LOCATION);
    }

    /** Copies the bundle's files into a folder. */
    static Path copyTo(Path folder) throws IOException, URISyntaxException {
        Path description = Path.of(TinyBundle.class
                .getResource("/io/tagstream/bundles/tiny/bundle.json")
                .toURI());
        try (Stream<Path> files = Files.list(description.getParent())) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
        return folder;
    }

    /** Replaces what matches a regular expression in a copy's description. */
    static void change(Path folder, String regex, String replacement) throws IOException {
        Path file = folder.resolve("bundle.json");
        String before = Files.readString(file);
        String after = before.replaceAll(regex, replacement);
        if (after.equals(before)) {
            throw new IllegalArgumentException("nothing in bundle.json matches " + regex);
        }
        Files.writeString(file, after);
    }

    /** Encodes a number of labels, whose names are words of the tokenizer. */
    static DirectLabelVectors labels(OnnxModelRuntime runtime, int count) throws Exception {
        String[] words = {"red", "green", "blue", "dog", "cat", "tree", "house", "sea", "snow", "moon", "bread"};
        List<LabelVector> vectors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = words[i % words.length] + " " + words[i / words.length % words.length];
            vectors.add(runtime.encodeLabel(new LabelText(name, List.of())));
        }
        return new DirectLabelVectors(vectors);
    }

    /** The vectors of a set of labels, one by one. */
    static List<LabelVector> vectors(DirectLabelVectors labels) {
        FloatBuffer all = labels.vectors();
        int size = all.remaining() / labels.size();
        List<LabelVector> vectors = new ArrayList<>();
        for (int i = 0; i < labels.size(); i++) {
            float[] vector = new float[size];
            all.get(vector);
            vectors.add(new LabelVector(vector, labels.referenceMean(i), labels.referenceDeviation(i)));
        }
        return vectors;
    }

    static void fillWithNoise(ByteBuffer pixels, long seed) {
        byte[] noise = new byte[pixels.remaining()];
        new Random(seed).nextBytes(noise);
        pixels.put(noise);
    }
}
