/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.LabelState;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.Test;

/**
 * Whatever is done to a vocabulary while images come, change and go: once known images have followed, their tags are those
 * of tagging every image anew under the final vocabulary, and the changes that were told add up to them.
 *
 * <p>{@code -Dretagging.sequences=N} tries more, from {@code -Dretagging.seed} on.
 */
class RetaggingPropertyTest {
    private static final int SEQUENCES = Integer.getInteger("retagging.sequences", 40);
    private static final int FIRST_SEED = Integer.getInteger("retagging.seed", 0);
    private static final int LABELS = 8;
    private static final int IMAGES = 12;
    private static final int STEPS = 40;

    @Test
    void shouldEndWithTheTagsOfTaggingEverythingAnew() {
        int edits = 0;
        for (int seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
            edits += new Sequence(seed).run();
        }
        System.out.printf("%d sequences, %d edits of the vocabulary%n", SEQUENCES, edits);
    }

    private static final class Sequence {
        private final int seed;
        private final Random random;
        private final Object[] settings;
        private final Map<String, String> uris = new TreeMap<>();
        private int edits;

        Sequence(int seed) {
            this.seed = seed;
            this.random = new Random(seed);
            this.settings = new Object[] {
                TagstreamConfig.IMAGE_FEATURES, pick("none", "bounded", "bounded", "all", "all"),
                TagstreamConfig.IMAGE_FEATURES_MAX_COUNT, (long) random.nextInt(IMAGES),
                TagstreamConfig.IMAGE_SCORES_FLOOR, pick(0.0, 0.05, 0.4, 0.8),
                TagstreamConfig.TAGS_TOP_K, 1 + random.nextInt(LABELS),
                TagstreamConfig.VOCABULARY_SELECTION, pick("all", "all", "auto", "candidates", "top-3"),
                TagstreamConfig.VOCABULARY_CANDIDATES_FROM, 1 + random.nextInt(LABELS),
                TagstreamConfig.IMAGES_REPARTITION, random.nextBoolean(),
            };
        }

        /** Returns how many edits there were. */
        int run() {
            Map<String, List<Tag>> followed;
            Map<String, List<Tag>> told = new HashMap<>();
            Map<String, TaggingHarness.Entry> vocabulary;
            try (TaggingHarness harness = new TaggingHarness(settings)) {
                harness.mark();
                for (int step = 0; step < STEPS; step++) {
                    act(harness);
                }
                harness.model.holdBackground(false);
                harness.mark();
                harness.sweep();
                harness.sweep();
                followed = harness.latestTags();
                vocabulary = Map.copyOf(harness.vocabulary);
                harness.changes.readKeyValuesToList().forEach(change -> tell(told, change));
            }
            Map<String, List<Tag>> anew;
            try (TaggingHarness harness = new TaggingHarness(settings)) {
                harness.vocabulary(new TreeMap<>(vocabulary));
                uris.forEach(harness::submit);
                harness.land();
                anew = harness.latestTags();
            }
            assertThat(followed.keySet()).as("images, seed %d", seed).isEqualTo(anew.keySet());
            anew.forEach((id, tags) -> {
                assertThat(followed.get(id)).as("tags of %s, seed %d", id, seed).isEqualTo(tags);
                assertThat(told.getOrDefault(id, List.of()))
                        .as("changes told of %s, seed %d", id, seed)
                        .containsExactlyInAnyOrderElementsOf(tags);
            });
            return edits;
        }

        private void act(TaggingHarness harness) {
            switch (random.nextInt(10)) {
                case 0, 1 -> {
                    String id = "image-" + random.nextInt(IMAGES);
                    uris.put(id, "any:" + random.nextInt(30));
                    harness.submit(id, uris.get(id));
                }
                case 2 -> {
                    String id = "image-" + random.nextInt(IMAGES);
                    uris.remove(id);
                    harness.delete(id);
                }
                case 3 -> harness.land();
                case 4 -> harness.mark();
                case 5 -> {
                    harness.model.holdBackground(random.nextInt(3) == 0);
                    for (int i = random.nextInt(60); i > 0; i--) {
                        harness.step();
                    }
                }
                default -> edit(harness);
            }
        }

        private void edit(TaggingHarness harness) {
            edits++;
            String id = "label-" + random.nextInt(LABELS);
            TaggingHarness.Entry entry = harness.vocabulary.get(id);
            if (entry == null) {
                harness.add(id);
                return;
            }
            switch (random.nextInt(6)) {
                case 0 -> harness.remove(id);
                case 1 -> harness.edit(id, entry.renamed("name-" + random.nextInt(3)));
                case 2 -> harness.describe(id, "text-" + random.nextInt(20));
                case 3 ->
                    harness.edit(
                            id, entry.in(entry.state() == LabelState.ACTIVE ? LabelState.SHADOW : LabelState.ACTIVE));
                default -> harness.edit(id, entry.at(random.nextInt(4) == 0 ? null : random.nextInt(100) / 100.0));
            }
        }

        private static void tell(Map<String, List<Tag>> told, KeyValue<String, TagChange> record) {
            TagChange change = record.value;
            List<Tag> tags = new ArrayList<>(told.getOrDefault(record.key, List.of()));
            List<Tag> gone = new ArrayList<>(change.getRemoved());
            gone.addAll(change.getRescored());
            tags.removeIf(
                    tag -> gone.stream().anyMatch(other -> other.getLabelId().equals(tag.getLabelId())));
            tags.addAll(change.getAdded());
            tags.addAll(change.getRescored());
            told.put(record.key, tags);
        }

        @SafeVarargs
        private <T> T pick(T... choices) {
            return choices[random.nextInt(choices.length)];
        }
    }
}
