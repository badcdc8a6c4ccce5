/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreviewTest {
    @Test
    void shouldShowThresholdsThatARareWordsImagesReach() {
        Preview preview = preview(0.23, counted(0.01, 40), counted(0.03, 9), counted(0.05, 2), counted(0.1, 0));
        assertThat(preview.summary().thresholds())
                .containsExactly(counted(0.01, 40), counted(0.03, 9), counted(0.05, 2), counted(0.23, 0));
    }

    @Test
    void shouldShowTheHighestOfSeveralThresholdsWithTheSameImages() {
        Preview preview = preview(0.6, counted(0.01, 8), counted(0.1, 8), counted(0.4, 8), counted(0.6, 3));
        assertThat(preview.summary().thresholds()).containsExactly(counted(0.4, 8), counted(0.6, 3));
        assertThat(preview(0.3, counted(0.1, 8), counted(0.4, 8)).summary().thresholds())
                .containsExactly(counted(0.3, 8), counted(0.4, 8));
    }

    @Test
    void shouldSpreadRowsOverOrdersOfMagnitude() {
        Preview.Matches[] many = new Preview.Matches[40];
        for (int i = 0; i < many.length; i++) {
            many[i] = counted((i + 1) / 50.0, Math.round(100_000 * Math.pow(0.75, i)));
        }
        List<Preview.Matches> rows = preview(0.99, many).summary().thresholds();
        assertThat(rows).hasSize(11).contains(many[0], many[39], counted(0.99, 0));
        for (int i = 1; i < 10; i++) {
            double fewer = (double) rows.get(i - 1).images() / rows.get(i).images();
            assertThat(fewer).as("step to row %d", i).isBetween(2.3, 6.0);
        }
    }

    @Test
    void shouldKeepTheRestOfThePreview() {
        Preview preview = preview(0.5, counted(0.5, 0));
        Preview summary = preview.summary();
        assertThat(summary.knownImages()).isEqualTo(preview.knownImages());
        assertThat(summary.best()).isEqualTo(preview.best());
        assertThat(summary.emittedFrom()).isEqualTo(0.5);
        assertThat(summary.thresholds()).containsExactly(counted(0.5, 0));
    }

    /** Ascending, with a row for {@code emittedFrom} that has the images of the next higher threshold, or none. */
    private static Preview preview(double emittedFrom, Preview.Matches... counts) {
        List<Preview.Matches> rows = new ArrayList<>(List.of(counts));
        if (rows.stream().noneMatch(row -> row.threshold() == emittedFrom)) {
            int place = (int)
                    rows.stream().filter(row -> row.threshold() < emittedFrom).count();
            long images = place == rows.size() ? 0 : rows.get(place).images();
            rows.add(place, counted(emittedFrom, images));
        }
        return new Preview(100_000, 0, emittedFrom, rows, List.of(new Preview.ScoredImage("a", "file:///a", 0.05)));
    }

    private static Preview.Matches counted(double threshold, long images) {
        return new Preview.Matches(threshold, images);
    }
}
