/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.Cause;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchIndexTest {
    private static final Instant NOON = Instant.parse("2026-11-01T12:00:00Z");

    @TempDir
    Path directory;

    @Test
    void shouldKeepTheLatestOfAnImageAndForgetWhatIsDeleted() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("a", NOON, "cat", 0.9f));
            index.put(image("b", NOON, "cat", 0.8f));
            index.put(image("a", NOON.plusSeconds(1), "dog", 0.7f));
            index.delete("b");
            index.show();

            assertThat(index.size()).isEqualTo(1);
            assertThat(index.find("a").orElseThrow()).isEqualTo(image("a", NOON.plusSeconds(1), "dog", 0.7f));
            assertThat(index.find("b")).isEmpty();
            assertThat(index.imagesWith("cat")).isZero();
            assertThat(index.imagesWith("dog")).isEqualTo(1);
        }
    }

    @Test
    void shouldTakeTagsFromBeforeLabelsHadLimits() throws Exception {
        TagEvent event = TagEvent.newBuilder()
                .setUri("file:///a.jpg")
                .setSha256("")
                .setWidth(1)
                .setHeight(1)
                .setTags(List.of(
                        new Tag("x".repeat(40_000), "x", 0.9f, 0.5f),
                        new Tag("long", "y".repeat(40_000), 0.8f, 0.5f),
                        new Tag("cat", "cat", 0.7f, 0.5f)))
                .setModel(new Model("everyday", "1"))
                .setVocabularyEpoch(1)
                .setCause(Cause.NEW_IMAGE)
                .setTaggedAt(NOON)
                .build();
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(ImageDocument.of("a", event));
            index.show();

            assertThat(index.imagesWith("cat")).isEqualTo(1);
            assertThat(index.imagesWith("long")).isEqualTo(1);
            assertThat(index.find("a").orElseThrow().tags())
                    .extracting(ImageDocument.TagScore::labelId)
                    .as("no term is longer than 32,766 bytes")
                    .containsExactly("long", "cat");
        }
    }

    @Test
    void shouldGoOnFromWhereItWasCommitted() throws Exception {
        IndexPosition reached = new IndexPosition("tags", "topic-id", Map.of(0, 12L, 1, 7L));
        try (SearchIndex index = SearchIndex.open(directory)) {
            assertThat(index.position().isOf(reached)).isFalse();
            index.put(image("a", NOON, "cat", 0.9f));
            index.commit(reached);
            index.put(image("b", NOON, "cat", 0.9f));
        }
        try (SearchIndex index = SearchIndex.open(directory)) {
            assertThat(index.position()).isEqualTo(reached);
            assertThat(index.size())
                    .as("what was put after the commit is read again")
                    .isEqualTo(1);

            index.startAnew(IndexPosition.beginning("tags", "another-id"));
            assertThat(index.size()).isZero();
            assertThat(index.position().isOf(reached)).isFalse();
            assertThat(index.position().next()).isEmpty();
        }
    }

    @Test
    void shouldMakeADamagedIndexAnew() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("a", NOON, "cat", 0.9f));
            index.commit(new IndexPosition("tags", "topic-id", Map.of(0, 1L)));
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.writeString(file, "damaged");
            }
        }
        try (SearchIndex index = SearchIndex.open(directory)) {
            assertThat(index.size()).isZero();
            assertThat(index.position().topic()).isEmpty();
        }
    }

    @Test
    void shouldPageThroughAllImagesNewestFirstWhileMoreCome() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            for (int i = 0; i < 25; i++) {
                index.put(image("image-" + i, NOON.plusSeconds(i / 2), "cat", 0.5f));
            }
            index.show();
            List<String> seen = new ArrayList<>();
            Optional<String> after = Optional.empty();
            do {
                ImagePage page = index.newest(ImageFilter.NONE, 10, after);
                page.images().forEach(image -> seen.add(image.id()));
                after = page.next();
                index.put(image("newer-" + seen.size(), NOON.plusSeconds(100), "cat", 0.5f));
                index.show();
            } while (after.isPresent());

            assertThat(seen).hasSize(25).doesNotHaveDuplicates().startsWith("image-24", "image-22", "image-23");
            assertThatThrownBy(() -> index.newest(ImageFilter.NONE, 10, Optional.of("no cursor!")))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldFilterByLabelScoreAndTime() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("low", NOON, "cat", 0.4f));
            index.put(image("high", NOON.plusSeconds(10), "cat", 0.9f));
            index.put(image("other", NOON.plusSeconds(20), "catamaran", 0.95f));
            index.show();

            assertThat(found(index, filter(List.of("cat"), OptionalDouble.empty())))
                    .containsExactly("high", "low");
            assertThat(found(index, filter(List.of("cat"), OptionalDouble.of(0.4))))
                    .containsExactly("high", "low");
            assertThat(found(index, filter(List.of("cat"), OptionalDouble.of(0.41))))
                    .containsExactly("high");
            assertThat(found(index, filter(List.of(), OptionalDouble.of(0.92)))).containsExactly("other");
            assertThat(found(index, filter(List.of("cat", "dog"), OptionalDouble.empty())))
                    .isEmpty();
            assertThat(found(
                            index,
                            new ImageFilter(
                                    List.of(),
                                    OptionalDouble.empty(),
                                    Optional.of(NOON.plusSeconds(10)),
                                    Optional.empty())))
                    .containsExactly("other", "high");
        }
    }

    @Test
    void shouldFindByWordsWithNamesOfTagsFirst() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("holidays/dog-beach.jpg", NOON, "sea", 0.9f));
            index.put(image("walk.jpg", NOON, "dogs", 0.9f));
            index.put(image("cat.jpg", NOON, "cat", 0.9f));
            index.show();

            assertThat(best(index, "dog")).containsExactly("walk.jpg", "holidays/dog-beach.jpg");
            assertThat(best(index, "beach dog")).containsExactly("holidays/dog-beach.jpg");
            assertThat(best(index, "holi*")).containsExactly("holidays/dog-beach.jpg");
            assertThat(best(index, "yellow")).as("an attribute").hasSize(3);
            assertThat(best(index, "secret"))
                    .as("an attribute of Tagstream's own")
                    .isEmpty();
            assertThat(best(index, "\"+-(*")).as("no error").isNotNull();
        }
    }

    @Test
    void shouldPutTheSurestOfTheLabelThatIsAskedForFirst() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("dog-at-the-beach.jpg", NOON.plusSeconds(5), "sea", 0.99f));
            index.put(image("snack.jpg", NOON.plusSeconds(4), "hot dog", 0.98f));
            index.put(image("sausage.jpg", NOON.plusSeconds(3), "hot dog", 0.97f));
            index.put(image("maybe.jpg", NOON.plusSeconds(2), "dog", 0.6f));
            index.put(image("rex.jpg", NOON, "dog", 1f));
            index.put(image(
                    "many.jpg", NOON, tag("cat", 0.99f), tag("Dogs", 0.9f), tag("grass", 0.8f), tag("hot dog", 0.7f)));
            index.show();

            assertThat(best(index, "dog"))
                    .containsExactly(
                            "rex.jpg", "many.jpg", "maybe.jpg", "snack.jpg", "sausage.jpg", "dog-at-the-beach.jpg");
            assertThat(best(index, "hot dog")).containsExactly("snack.jpg", "sausage.jpg", "many.jpg");
            assertThat(best(index, "\"hot dog\"")).containsExactly("snack.jpg", "sausage.jpg", "many.jpg");
            assertThat(best(index, "dog -hot")).containsExactly("rex.jpg", "maybe.jpg", "dog-at-the-beach.jpg");
        }
    }

    @Test
    void shouldPutImagesFirstThatHaveMoreOfTheWordsAsLabels() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("both.jpg", NOON, tag("dog", 0.5f), tag("beach", 0.4f)));
            index.put(image("surer.jpg", NOON, tag("dog", 0.5f), tag("beach", 0.9f)));
            index.put(image("beach.jpg", NOON, "dog", 1f));
            index.put(image("beach-dog.jpg", NOON, "sea", 1f));
            index.show();

            assertThat(best(index, "dog beach")).containsExactly("surer.jpg", "both.jpg", "beach.jpg", "beach-dog.jpg");
        }
    }

    @Test
    void shouldSortWhatBeginsLikeAWordByTheLabelsScoreToo() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("a.jpg", NOON.plusSeconds(2), tag("dog", 0.7f), tag("doghouse", 0.7f)));
            index.put(image("b.jpg", NOON.plusSeconds(1), "doghouse", 0.9f));
            index.put(image("dogma.jpg", NOON.plusSeconds(3), "sea", 1f));
            index.show();

            assertThat(best(index, "dog*")).containsExactly("b.jpg", "a.jpg", "dogma.jpg");
            assertThat(best(index, "doghuose~2")).containsExactly("b.jpg", "a.jpg");
        }
    }

    @Test
    void shouldPageThroughTheBestInTheirOrder() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            for (int i = 0; i < 25; i++) {
                index.put(image("image-%02d".formatted(i), NOON, "dog", 1 - i / 100f));
            }
            index.show();
            List<String> seen = new ArrayList<>();
            Optional<String> after = Optional.empty();
            do {
                ImagePage page = index.best(ImageFilter.NONE.withText(Optional.of("dog")), 10, after);
                page.images().forEach(image -> seen.add(image.id()));
                after = page.next();
            } while (after.isPresent());

            assertThat(seen).hasSize(25).isSorted();
        }
    }

    @Test
    void shouldFilterByLabelsNamesAsWellAsIds() throws Exception {
        try (SearchIndex index = SearchIndex.open(directory)) {
            index.put(image("sure", NOON, new ImageDocument.TagScore("n-1", "Hot Dog", 0.9f, 0.3f)));
            index.put(image("unsure", NOON.minusSeconds(1), new ImageDocument.TagScore("n-1", "Hot Dog", 0.4f, 0.3f)));
            index.put(image("dog", NOON, "dog", 0.9f));
            index.put(image("endless", NOON, new ImageDocument.TagScore("e", "e ".repeat(40_000), 0.9f, 0.3f)));
            index.show();

            for (String label : List.of("n-1", "Hot Dog", " hot dog")) {
                assertThat(found(index, filter(List.of(label), OptionalDouble.empty())))
                        .as(label)
                        .containsExactly("sure", "unsure");
                assertThat(found(index, filter(List.of(label), OptionalDouble.of(0.5))))
                        .as(label)
                        .containsExactly("sure");
            }
            assertThat(found(index, filter(List.of("hot"), OptionalDouble.empty())))
                    .isEmpty();
            assertThat(found(index, filter(List.of("hot dog", "dog"), OptionalDouble.empty())))
                    .isEmpty();
            assertThat(index.imagesWith("hot dog")).as("of a label of that id").isZero();
        }
    }

    @Test
    void shouldKeepADataUriShort() {
        String uri = "data:image/png;base64," + "A".repeat(1_000);
        io.tagstream.avro.TagEvent event = io.tagstream.avro.TagEvent.newBuilder()
                .setUri(uri)
                .setSha256("0".repeat(64))
                .setWidth(1)
                .setHeight(1)
                .setTags(List.of())
                .setModel(new io.tagstream.avro.Model("m", "1"))
                .setVocabularyEpoch(1)
                .setCause(io.tagstream.avro.Cause.NEW_IMAGE)
                .setTaggedAt(NOON)
                .build();
        assertThat(ImageDocument.of("a", event).uri())
                .startsWith("data:image/png")
                .hasSizeLessThan(100);
    }

    private static ImageFilter filter(List<String> labels, OptionalDouble minScore) {
        return new ImageFilter(labels, minScore, Optional.empty(), Optional.empty());
    }

    private static List<String> found(SearchIndex index, ImageFilter filter) {
        return index.newest(filter, 10, Optional.empty()).images().stream()
                .map(ImageDocument::id)
                .toList();
    }

    private static List<String> best(SearchIndex index, String words) throws IOException {
        return index.best(ImageFilter.NONE.withText(Optional.of(words)), 10, Optional.empty()).images().stream()
                .map(ImageDocument::id)
                .toList();
    }

    private static ImageDocument.TagScore tag(String label, float score) {
        return new ImageDocument.TagScore(label, label, score, 0.3f);
    }

    private static ImageDocument image(String id, Instant taggedAt, String label, float score) {
        return image(id, taggedAt, tag(label, score));
    }

    private static ImageDocument image(String id, Instant taggedAt, ImageDocument.TagScore... tags) {
        return new ImageDocument(
                id,
                "file:///photos/" + id,
                "0".repeat(64),
                640,
                480,
                List.of(tags),
                Map.of("album", "yellow", "tagstream.local.run", "secret"),
                new ImageDocument.Model("everyday", "1"),
                42,
                "NEW_IMAGE",
                taggedAt);
    }
}
