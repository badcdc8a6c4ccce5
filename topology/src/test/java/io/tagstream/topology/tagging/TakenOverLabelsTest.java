/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Labels that were in force before there were limits. */
class TakenOverLabelsTest {
    private static final int LARGE = 600_000;

    @Test
    void shouldTagImagesDespiteTwoNamesThatTogetherFillARecord() {
        try (TaggingHarness harness = new TaggingHarness()) {
            harness.edit("dog", named("D".repeat(LARGE), "dog"));
            harness.edit("car", named("C".repeat(LARGE), "car"));
            harness.mark();

            harness.tag("image", "fake:dog+car");

            assertThat(harness.failures.isEmpty()).isTrue();
            List<Tag> tags = harness.latestTags().get("image");
            assertThat(tags).extracting(Tag::getLabelId).containsExactly("car", "dog");
            assertThat(tags.get(0).getName()).hasSize(500).startsWith("CCC").endsWith("C…");
        }
    }

    @Test
    void shouldLeaveOutLabelsWhoseIdsNoIndexCanTake() {
        try (TaggingHarness harness = new TaggingHarness()) {
            harness.edit("x".repeat(LARGE), named("dog", "dog"));
            harness.edit("y".repeat(LARGE), named("car", "car"));
            harness.add("boat");
            harness.mark();

            harness.tag("image", "fake:dog+car+boat");

            assertThat(harness.failures.isEmpty()).isTrue();
            assertThat(harness.latestTags().get("image"))
                    .extracting(Tag::getLabelId)
                    .containsExactly("boat");
        }
    }

    private static TaggingHarness.Entry named(String name, String text) {
        return new TaggingHarness.Entry(name, text, null, LabelState.ACTIVE, 1);
    }
}
