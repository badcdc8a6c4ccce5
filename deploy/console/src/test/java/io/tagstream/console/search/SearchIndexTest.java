/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    private static ImageDocument image(String id, Instant taggedAt, String label, float score) {
        return new ImageDocument(
                id,
                "file:///photos/" + id,
                "0".repeat(64),
                640,
                480,
                List.of(new ImageDocument.TagScore(label, label, score, 0.3f)),
                Map.of("album", "yellow", "tagstream.local.run", "secret"),
                new ImageDocument.Model("everyday", "1"),
                42,
                "NEW_IMAGE",
                taggedAt);
    }
}
