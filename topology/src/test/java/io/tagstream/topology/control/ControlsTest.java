/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.TagPolicy;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ControlsTest {
    private final ClusterControl first =
            TestRules.control(TestConfig.with(), FakeModelRuntime.describe("1.0.0+cpu.fp32", 1, "text"));

    @Test
    void shouldNameABundleWhateverItRunsOn() {
        assertThat(Controls.named(first.getBundle())).isEqualTo("fake 1.0.0 (generation 1)");
        assertThat(Controls.release(FakeModelRuntime.describe("1.0.0+cuda.fp32", 1, "text")))
                .isEqualTo(first.getBundle());
    }

    @Test
    void shouldRememberEarlierBundlesTheLatestFirst() {
        ClusterControl second = use(first, "second");
        ClusterControl third = use(second, "third");
        assertThat(third.getRevision()).isEqualTo(3);
        assertThat(third.getEarlier()).extracting(BundleRelease::getId).containsExactly("second", "fake");

        ClusterControl back = use(third, "second");
        assertThat(back.getEarlier()).extracting(BundleRelease::getId).containsExactly("third", "fake");

        ClusterControl many = back;
        for (int bundle = 0; bundle < 30; bundle++) {
            many = use(many, "bundle-" + bundle);
        }
        assertThat(many.getEarlier()).hasSize(20);
    }

    private static ClusterControl use(ClusterControl before, String id) {
        return Controls.next(before, new BundleRelease(id, "1", 1L), before.getPolicy(), Instant.EPOCH)
                .orElseThrow();
    }

    @Test
    void shouldChangeNothingWhereNothingDiffers() {
        assertThat(Controls.next(first, first.getBundle(), first.getPolicy(), Instant.now()))
                .isEmpty();
    }

    @Test
    void shouldSayWhichConfiguredValuesAreNotInForce() {
        TagPolicy inForce = new TagPolicy(0.4, null, 0.05);
        assertThat(Controls.ignored(TestConfig.with(), inForce))
                .as("nothing was asked for")
                .isEmpty();
        assertThat(Controls.ignored(TestConfig.with(TagstreamConfig.TAGS_MIN_SCORE, 0.4), inForce))
                .isEmpty();
        assertThat(Controls.ignored(
                                TestConfig.with(TagstreamConfig.TAGS_MIN_SCORE, 0.3, TagstreamConfig.TAGS_TOP_K, 2),
                                inForce)
                        .orElseThrow())
                .contains("tags.min.score=0.3, tags.top.k=2", "min score 0.4, top k of the bundle", "policy set");
    }
}
