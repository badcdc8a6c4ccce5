/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The vocabulary that comes with a bundle. */
public final class BundleVocabulary {
    private static final String FILE = "vocabulary.csv";
    private static final String CLASSPATH = "classpath:";

    private BundleVocabulary() {}

    /**
     * Returns the labels by their ids.
     *
     * @param bundle the bundle's directory, or {@code classpath:} followed by its resource folder
     * @throws OperatorException if the bundle has no vocabulary
     */
    public static Map<String, Label> read(String bundle) {
        if (!bundle.startsWith(CLASSPATH)) {
            Path file = Path.of(bundle, FILE);
            if (!Files.exists(file)) {
                throw missing(bundle);
            }
            return VocabularyCsv.read(file);
        }
        String resource = bundle.substring(CLASSPATH.length()) + "/" + FILE;
        try (InputStream bytes = BundleVocabulary.class.getClassLoader().getResourceAsStream(resource)) {
            if (bytes == null) {
                throw missing(bundle);
            }
            return VocabularyCsv.read(bytes, bundle + "/" + FILE);
        } catch (IOException e) {
            throw OperatorException.failed("the vocabulary of bundle %s cannot be read: %s".formatted(bundle, e), e);
        }
    }

    private static OperatorException missing(String bundle) {
        return OperatorException.invalid(
                "bundle %s has no %s; give a vocabulary with --vocabulary".formatted(bundle, FILE));
    }
}
