/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.metrics.Metric;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MetricsPageTest {
    private static final Path PAGE = Path.of("METRICS.md");

    /** {@code -Dmetrics.page.write=true} writes the page anew. */
    @Test
    void shouldBeWhatTheCodeDeclares() throws Exception {
        if (Boolean.getBoolean("metrics.page.write")) {
            Files.writeString(PAGE, MetricsPage.render());
        }

        assertThat(PAGE).hasContent(MetricsPage.render());
    }

    @Test
    void shouldNameAndDocumentEveryMetric() {
        assertThat(MetricsPage.metrics()).extracting(Metric::id).doesNotHaveDuplicates();
        assertThat(MetricsPage.metrics()).allSatisfy(metric -> {
            assertThat(metric.id()).matches("tagstream(\\.[a-z]+)+");
            assertThat(metric.help()).endsWith(".");
        });
    }
}
