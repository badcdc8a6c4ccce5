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
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.Test;

/**
 * Whatever happens to a vocabulary and the tag policy while images are added, changed and removed, the task restarts, models succeed each
 * other and stores are lost: once known images have followed, their tags are the same as if every image were tagged
 * anew with the last model under the final vocabulary, with scores within the tolerance. At every moment, the reported
 * changes add up to the tags.
 *
 * <p>{@code -Dretagging.sequences=N} tries more sequences, starting at {@code -Dretagging.seed}.
 */
class RetaggingPropertyTest {
    private static final int SEQUENCES = Integer.getInteger("retagging.sequences", 40);
    private static final int FIRST_SEED = Integer.getInteger("retagging.seed", 0);
    private static final int LABELS = 8;
    private static final int IMAGES = 12;
    private static final int STEPS = 40;

    /** Stores that a task may find empty when it starts. */
    private static final List<List<String>> LOSSES = List.of(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(TaggingTopology.SWEEP_STORE),
            List.of(TaggingTopology.IMAGE_FEATURES_STORE),
            List.of(TaggingTopology.SWEEP_STORE, TaggingTopology.IMAGE_FEATURES_STORE),
            List.of(TaggingTopology.IMAGE_META_STORE),
            List.of(TaggingTopology.IMAGE_META_STORE, TaggingTopology.SWEEP_STORE));

    @Test
    void shouldEndWithTheTagsOfTaggingEverythingAnew() {
        int edits = 0;
        int upgrades = 0;
        int policies = 0;
        for (int seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
            Sequence sequence = new Sequence(seed);
            sequence.run();
            edits += sequence.edits;
            upgrades += sequence.model - 1;
            policies += sequence.policies;
        }
        System.out.printf(
                "%d sequences, %d edits of the vocabulary, %d other models, %d other policies%n",
                SEQUENCES, edits, upgrades, policies);
    }

    private static final class Sequence {
        private final int seed;
        private final Random random;
        private final Object[] settings;
        private final long mostFeatures;
        private final Map<String, String> uris = new TreeMap<>();
        private final Map<String, List<Tag>> followed = new HashMap<>();
        private final Map<String, List<Tag>> told = new HashMap<>();
        private final List<String> deeds = new ArrayList<>();
        private int edits;
        private int policies;
        private int model = 1;
        private TagPolicy policy;

        Sequence(int seed) {
            this.seed = seed;
            this.random = new Random(seed);
            String features = pick("none", "bounded", "bounded", "all", "all");
            long bound = random.nextInt(IMAGES);
            this.mostFeatures =
                    Map.of("none", 0L, "bounded", bound, "all", (long) IMAGES).get(features);
            this.settings = new Object[] {
                TagstreamConfig.IMAGE_FEATURES,
                features,
                TagstreamConfig.IMAGE_FEATURES_MAX_COUNT,
                bound,
                TagstreamConfig.IMAGE_SCORES_FLOOR,
                pick(0.0, 0.05, 0.4, 0.8),
                TagstreamConfig.TAGS_TOP_K,
                1 + random.nextInt(LABELS),
                TagstreamConfig.VOCABULARY_SELECTION,
                pick("all", "all", "auto", "candidates", "top-3"),
                TagstreamConfig.VOCABULARY_CANDIDATES_FROM,
                1 + random.nextInt(LABELS),
                TagstreamConfig.IMAGES_REPARTITION,
                random.nextBoolean(),
            };
        }

        void run() {
            Map<String, TaggingHarness.Entry> vocabulary;
            try (TaggingHarness harness = new TaggingHarness(model(), settings)) {
                policy = harness.policy();
                harness.mark();
                for (int step = 0; step < STEPS; step++) {
                    act(harness);
                    readAndCompare(harness);
                }
                harness.model.holdBackground(false);
                harness.mark();
                harness.sweep();
                harness.sweep();
                readAndCompare(harness);
                assertThatFeaturesAreOfKnownImages(harness);
                vocabulary = Map.copyOf(harness.vocabulary);
            }
            Map<String, List<Tag>> anew;
            try (TaggingHarness harness = new TaggingHarness(model(), settings)) {
                harness.change(policy);
                harness.vocabulary(new TreeMap<>(vocabulary));
                uris.forEach(harness::submit);
                harness.land();
                anew = harness.latestTags();
            }
            assertThat(followed.keySet()).as(() -> "images, " + this).isEqualTo(anew.keySet());
            anew.forEach((id, tags) -> {
                assertThatAlike("tags of " + id, followed.get(id), tags);
                assertThat(followed.get(id))
                        .as(() -> "tags of " + id + ", best first, " + this)
                        .isSortedAccordingTo(Comparator.comparing(Tag::getScore).reversed());
            });
        }

        /** The same tags, with scores that differ by no more than is reported. */
        private void assertThatAlike(String what, List<Tag> some, List<Tag> others) {
            Comparator<Tag> byLabel = Comparator.comparing(Tag::getLabelId);
            assertThat(some.stream().sorted(byLabel))
                    .as(() -> what + ", " + this)
                    .usingElementComparator((one, other) -> one.getLabelId().equals(other.getLabelId())
                                    && one.getName().equals(other.getName())
                                    && one.getThreshold() == other.getThreshold()
                                    && Math.abs(one.getScore() - other.getScore()) <= OutcomeFactory.SCORE_TOLERANCE
                            ? 0
                            : 1)
                    .containsExactlyElementsOf(others.stream().sorted(byLabel).toList());
        }

        private void readAndCompare(TaggingHarness harness) {
            read(harness);
            followed.forEach(
                    (id, tags) -> assertThatAlike("changes told of " + id, told.getOrDefault(id, List.of()), tags));
        }

        /** Features are as many as are counted and allowed, and each belongs to an image that names them. */
        private void assertThatFeaturesAreOfKnownImages(TaggingHarness harness) {
            List<KeyValue<Long, byte[]>> features = harness.entries(TaggingTopology.IMAGE_FEATURES_STORE);
            List<KeyValue<String, ImageMeta>> images = harness.entries(TaggingTopology.IMAGE_META_STORE);
            assertThat(images.stream().map(image -> image.value.getFeatures()).toList())
                    .as(() -> "images that name features, " + this)
                    .containsAll(features.stream().map(entry -> entry.key).toList());
            assertThat(harness.metrics.get("tagstream.known.features").gauge().value())
                    .as(() -> "features counted, " + this)
                    .isEqualTo(features.size());
            assertThat(harness.metrics.get("tagstream.known.images").gauge().value())
                    .as(() -> "images counted, " + this)
                    .isEqualTo(images.size());
            assertThat((long) features.size())
                    .as(() -> "features kept, " + this)
                    .isLessThanOrEqualTo(mostFeatures);
        }

        private FakeModelRuntime model() {
            return FakeModelRuntime.manual(FakeModelRuntime.describe("fake-" + model, model, "text-1"), 1_000);
        }

        private void act(TaggingHarness harness) {
            switch (random.nextInt(15)) {
                case 0, 1 -> {
                    String id = "image-" + random.nextInt(IMAGES);
                    submit(harness, id, "any:" + random.nextInt(30) + "~0");
                }
                case 2 -> {
                    String id = "image-" + random.nextInt(IMAGES);
                    uris.remove(id);
                    deeds.add("delete " + id);
                    harness.delete(id);
                }
                case 3 -> {
                    deeds.add("land");
                    harness.land();
                }
                case 4, 5 -> {
                    deeds.add("mark");
                    harness.mark();
                }
                case 6, 7 -> turns(harness, random.nextInt(60), random.nextInt(3) == 0);
                case 8 -> {
                    int images = random.nextInt(harness.model.waiting() + 1);
                    if (random.nextBoolean()) {
                        deeds.add("complete " + images);
                        harness.model.complete(images);
                    } else {
                        score(harness, images);
                    }
                }
                case 9 -> restart(harness);
                case 10 -> nudge(harness);
                case 11 -> changePolicy(harness);
                default -> edit(harness);
            }
        }

        private void changePolicy(TaggingHarness harness) {
            policy = new TagPolicy(
                    random.nextInt(3) == 0 ? random.nextInt(100) / 100.0 : null,
                    1 + random.nextInt(LABELS),
                    pick(0.0, 0.05, 0.4, 0.8));
            deeds.add("policy " + policy);
            policies++;
            harness.change(policy);
        }

        private void submit(TaggingHarness harness, String id, String uri) {
            uris.put(id, uri);
            deeds.add("submit " + id + " " + uri);
            harness.submit(id, uri);
        }

        /** Submits an image again and again, each time with scores that differ by less than is reported. */
        private void nudge(TaggingHarness harness) {
            List<String> known = new ArrayList<>(uris.keySet());
            if (known.isEmpty()) {
                return;
            }
            String id = known.get(random.nextInt(known.size()));
            String[] nudged = uris.get(id).split("~", 2);
            int nudges = Integer.parseInt(nudged[1]);
            for (int i = random.nextInt(3); i < 3 && nudges < FakeModelRuntime.MOST_NUDGES; i++) {
                nudges++;
                submit(harness, id, nudged[0] + "~" + nudges);
                if (random.nextBoolean()) {
                    harness.land();
                    readAndCompare(harness);
                }
            }
        }

        private void restart(TaggingHarness harness) {
            boolean upgrade = random.nextBoolean();
            if (upgrade) {
                model++;
            }
            List<String> lost = LOSSES.get(random.nextInt(LOSSES.size()));
            deeds.add((upgrade ? "upgrade to model " + model : "restart") + (lost.isEmpty() ? "" : " without " + lost));
            read(harness);
            harness.restart(model(), lost.toArray(String[]::new));
            if (lost.contains(TaggingTopology.IMAGE_META_STORE)) { // only images that are submitted again are known
                told.clear();
                followed.clear();
                uris.forEach(harness::submit);
            }
            if (upgrade && random.nextBoolean()) {
                editWhileImagesAreRead(harness);
            }
        }

        /** Images are read with a new model, and scored before labels change; they land after that. */
        private void editWhileImagesAreRead(TaggingHarness harness) {
            turns(harness, 60, false);
            score(harness, harness.model.waiting());
            edit(harness);
            deeds.add("mark");
            harness.mark();
            turns(harness, 60, false);
            deeds.add("land");
            harness.land();
        }

        private void turns(TaggingHarness harness, int turns, boolean backgroundHeld) {
            deeds.add(turns + " turns" + (backgroundHeld ? " without background" : ""));
            harness.model.holdBackground(backgroundHeld);
            for (int turn = 0; turn < turns; turn++) {
                harness.step();
            }
        }

        private void score(TaggingHarness harness, int images) {
            deeds.add("score " + images);
            harness.model.score(images);
        }

        /** Notes what was written. */
        private void read(TaggingHarness harness) {
            for (KeyValue<String, TagEvent> event : harness.tags.readKeyValuesToList()) {
                if (event.value == null) {
                    followed.remove(event.key);
                } else {
                    followed.put(event.key, event.value.getTags());
                }
            }
            harness.changes.readKeyValuesToList().forEach(this::tell);
        }

        private void edit(TaggingHarness harness) {
            edits++;
            String id = "label-" + random.nextInt(LABELS);
            deeds.add("edit " + id);
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

        private void tell(KeyValue<String, TagChange> record) {
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

        @Override
        public String toString() {
            return "seed " + seed + ": " + String.join(", ", deeds) + "; settings " + Arrays.toString(settings);
        }

        @SafeVarargs
        private <T> T pick(T... choices) {
            return choices[random.nextInt(choices.length)];
        }
    }
}
