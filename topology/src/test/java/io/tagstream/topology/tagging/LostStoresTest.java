/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Tag;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a task still knows when one of its stores is lost, for example because its changelog was deleted. */
class LostStoresTest {
    private TaggingHarness harness;

    private TaggingHarness start(Object... settings) {
        harness = new TaggingHarness(settings);
        harness.add("dog");
        harness.mark();
        return harness;
    }

    @AfterEach
    void close() {
        harness.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sweep", "image-features", "sweep,image-features"})
    void shouldScoreEveryImageFromItsOwnFeatures(String lost) {
        start();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:dog");
        harness.tag("c", "fake:car");
        harness.restart(model(), lost.split(","));
        harness.tag("d", "fake:dog");
        harness.tag("e", "fake:car");
        harness.tag("f", "fake:dog+car");
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(labels())
                .isEqualTo(Map.of(
                        "a", List.of("car", "dog"),
                        "b", List.of("dog"),
                        "c", List.of("car"),
                        "d", List.of("dog"),
                        "e", List.of("car"),
                        "f", List.of("car", "dog")));
        assertCounted(6, 6);
    }

    @Test
    void shouldReadNoImageAgainWhenTheCountersAreLost() {
        start();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:car");
        harness.restart(model(), TaggingTopology.SWEEP_STORE);
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(harness.model.encodedImages()).as("features are at hand").isZero();
        assertThat(labels()).isEqualTo(Map.of("a", List.of("car", "dog"), "b", List.of("car")));
        assertCounted(2, 2);
    }

    @Test
    void shouldKeepTheNewestFeaturesAfterAllWereLost() {
        start(TagstreamConfig.IMAGE_FEATURES_MAX_COUNT, 2L);
        harness.tag("a", "fake:car");
        harness.tag("b", "fake:car");
        harness.restart(model(), TaggingTopology.IMAGE_FEATURES_STORE);
        tidy();
        assertCounted(2, 0);
        harness.tag("c", "fake:car");
        harness.tag("d", "fake:car");
        assertCounted(4, 2);
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(harness.model.encodedImages())
                .as("c and d when they came, then a and b")
                .isEqualTo(4);
        assertThat(labels()).containsOnlyKeys("a", "b", "c", "d").containsEntry("a", List.of("car"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"image-meta", "image-meta,sweep"})
    void shouldDropTheFeaturesOfImagesThatAreNoLongerKnown(String lost) {
        start(TagstreamConfig.IMAGE_FEATURES, "all");
        for (int image = 0; image < 100; image++) {
            harness.submit("image-%03d".formatted(image), "fake:dog");
        }
        harness.land();
        harness.restart(model(), lost.split(","));
        harness.tag("image-000", "fake:dog+car");
        harness.tag("other", "fake:car");
        tidy();
        assertCounted(2, 2);
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(labels()).isEqualTo(Map.of("image-000", List.of("car", "dog"), "other", List.of("car")));
        assertThat(harness.model.encodedImages()).isEqualTo(2);
    }

    @Test
    void shouldGoOnDroppingWhereItWasStopped() {
        start(TagstreamConfig.IMAGE_FEATURES, "all");
        for (int image = 0; image < 100; image++) {
            harness.submit("image-%03d".formatted(image), "fake:dog");
        }
        harness.land();
        List<KeyValue<String, ImageMeta>> images = harness.entries(TaggingTopology.IMAGE_META_STORE);
        KeyValueStore<String, ImageMeta> metas = harness.store(TaggingTopology.IMAGE_META_STORE);
        images.subList(1, 99).forEach(image -> metas.delete(image.key));
        metas.delete(images.get(0).key);
        harness.restart(model());
        harness.submit("busy", "fake:dog"); // makes the task take small steps
        for (int turn = 0; turn < 20; turn++) {
            harness.step();
        }
        assertThat(keptFeatures()).as("some are left").isBetween(10, 95);

        harness.restart(model());
        harness.land();
        tidy();
        assertCounted(2, 2);
    }

    @Test
    void shouldDropFeaturesThatWereKeptBeforeTheirImagesWereLost() {
        start(TagstreamConfig.IMAGE_FEATURES, "all");
        for (int image = 0; image < 100; image++) {
            harness.submit("image-%03d".formatted(image), "fake:dog");
        }
        harness.land();
        KeyValueStore<String, ImageMeta> metas = harness.store(TaggingTopology.IMAGE_META_STORE);
        metas.delete("image-000");
        harness.restart(model());
        harness.submit("busy", "fake:dog"); // makes the task take small steps
        for (int turn = 0; turn < 20; turn++) {
            harness.step();
        }

        harness.restart(model(), TaggingTopology.IMAGE_META_STORE);
        harness.land();
        tidy();
        assertCounted(1, 1);
    }

    @Test
    void shouldLeaveAnotherImagesFeaturesWhenAnImageIsDeleted() {
        start();
        harness.tag("a", "fake:dog");
        harness.restart(model(), TaggingTopology.IMAGE_FEATURES_STORE, TaggingTopology.SWEEP_STORE);
        harness.tag("b", "fake:dog+car");
        assertThat(harness.known("b").getFeatures())
                .as("the key that a has, too")
                .isEqualTo(harness.known("a").getFeatures());
        harness.delete("a");
        tidy();

        assertCounted(1, 1);
    }

    @Test
    void shouldReadImagesAgainWhoseFeaturesAnEarlierVersionKept() {
        start();
        harness.tag("a", "fake:dog+car");
        harness.tag("b", "fake:dog");
        KeyValueStore<Long, byte[]> features = harness.store(TaggingTopology.IMAGE_FEATURES_STORE);
        byte[] anothers = "fake-1\nfake:cat".getBytes(StandardCharsets.UTF_8);
        for (String id : List.of("a", "b")) {
            features.put(
                    harness.known(id).getFeatures(),
                    ByteBuffer.allocate(Long.BYTES + anothers.length)
                            .putLong(1_700_000_000_000L)
                            .put(anothers)
                            .array());
        }
        harness.restart(model());
        tidy();
        assertCounted(2, 0);
        harness.add("car");
        harness.mark();
        harness.sweep();

        assertThat(labels()).isEqualTo(Map.of("a", List.of("car", "dog"), "b", List.of("dog")));
        assertThat(harness.model.encodedImages()).isEqualTo(2);
        assertCounted(2, 2);
    }

    /** Gives the task time to notice entries that do not belong together, and to drop them. */
    private void tidy() {
        harness.sweep();
        for (int turn = 0; turn < 20; turn++) {
            harness.step();
        }
    }

    /** Checks how many images are known and how many features are kept, as measured and as stored. */
    private void assertCounted(int images, int features) {
        assertThat(harness.entries(TaggingTopology.IMAGE_META_STORE)).hasSize(images);
        assertThat(keptFeatures()).as("features in the store").isEqualTo(features);
        assertThat(harness.metrics.get("tagstream.known.images").gauge().value())
                .as("known images")
                .isEqualTo(images);
        assertThat(harness.metrics.get("tagstream.known.features").gauge().value())
                .as("kept features")
                .isEqualTo(features);
    }

    private int keptFeatures() {
        List<KeyValue<Long, byte[]>> entries = harness.entries(TaggingTopology.IMAGE_FEATURES_STORE);
        return (int) entries.stream().filter(entry -> entry.key >= 0).count();
    }

    /** The labels of every known image. */
    private Map<String, List<String>> labels() {
        List<KeyValue<String, ImageMeta>> images = harness.entries(TaggingTopology.IMAGE_META_STORE);
        Map<String, List<String>> labels = new TreeMap<>();
        images.forEach(image -> labels.put(
                image.key,
                image.value.getTags().stream().map(Tag::getLabelId).sorted().toList()));
        return labels;
    }

    private static FakeModelRuntime model() {
        return FakeModelRuntime.manual(1_000);
    }
}
