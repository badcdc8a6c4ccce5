/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Label;
import io.tagstream.cluster.vocabulary.BundleVocabulary;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchLabelsTest {
    private static final String BUNDLE = "classpath:io/tagstream/bundles/everyday";

    @Test
    void shouldTakeTheModelsOwnLabelsFirst() {
        Map<String, Label> own = BundleVocabulary.read(BUNDLE);
        assertThat(BenchLabels.ofSize(5, BUNDLE).keySet())
                .containsExactlyElementsOf(own.keySet().stream().limit(5).toList());
    }

    @Test
    void shouldMakeUpAsManyMoreAsAreAskedForEachWithATextOfItsOwn() {
        Map<String, Label> labels = BenchLabels.ofSize(20_000, BUNDLE);
        assertThat(labels)
                .hasSize(20_000)
                .containsKeys(BundleVocabulary.read(BUNDLE).keySet().toArray(String[]::new));
        assertThat(labels.values().stream().map(Label::getName).distinct()).hasSize(20_000);
    }

    @Test
    void shouldHoldAllLabelsToTheModelsThreshold() {
        assertThat(BenchLabels.ofSize(1_000, BUNDLE).values())
                .extracting(Label::getThreshold)
                .containsOnlyNulls();
    }
}
