/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PrintedOutputTest {
    private static final String TAGS = "cat.jpg  cat 1.00, animal 0.97\ndogs.jpg  dog 0.98, water lily 0.53\n";

    private static Block block(String language, String text) {
        return new Block("page.md", 1, language, text, Optional.empty(), Optional.empty());
    }

    private static List<String> differences(String said, String... output) {
        return PrintedOutput.differences(block("", said), List.of(output), List.of("12 images tagged, 0 failed"));
    }

    @Test
    void shouldLikeTagsInAnyOrderAndScoresThatDifferALittle() {
        assertThat(differences(TAGS, "dogs.jpg  water lily 0.51, dog 0.99", "cat.jpg  cat 0.99, animal 0.99"))
                .isEmpty();
    }

    @Test
    void shouldTellAScoreThatIsFarOff() {
        assertThat(differences(TAGS, "dogs.jpg  water lily 0.43, dog 0.99", "cat.jpg  cat 0.99, animal 0.99"))
                .containsExactly(
                        "not printed: dogs.jpg  dog 0.98, water lily 0.53",
                        "printed, but not in the page: dogs.jpg  water lily 0.43, dog 0.99");
    }

    @Test
    void shouldTellATagMoreOrLess() {
        assertThat(differences("cat.jpg  cat 1.00", "cat.jpg  cat 1.00, animal 0.97"))
                .hasSize(2);
        assertThat(differences("cat.jpg  cat 1.00, animal 0.97", "cat.jpg  cat 1.00"))
                .hasSize(2);
    }

    @Test
    void shouldTellAnotherImageWithTheSameTags() {
        assertThat(differences("cat.jpg  cat 1.00", "kitten.jpg  cat 1.00")).hasSize(2);
    }

    @Test
    void shouldFindWhatIsSaidOfStandardErrorToo() {
        assertThat(differences("12 images tagged, 0 failed")).isEmpty();
        assertThat(differences("13 images tagged, 0 failed"))
                .containsExactly("not printed: 13 images tagged, 0 failed");
    }

    @Test
    void shouldLetThePageLeaveLinesOut() {
        assertThat(differences("first\n...\n", "first", "second")).isEmpty();
        assertThat(differences("first\n", "first", "second")).containsExactly("printed, but not in the page: second");
    }

    @Test
    void shouldCompareWholeNumbersExactly() {
        assertThat(differences("455 labels, score 0.31", "455 labels, score 0.30"))
                .isEmpty();
        assertThat(differences("455 labels, score 0.31", "456 labels, score 0.31"))
                .hasSize(2);
    }

    @Test
    void shouldCompareJsonByItsValues() {
        Block said = block("json", "{\"name\": \"cat\", \"score\": 0.99}");

        assertThat(PrintedOutput.differences(said, List.of("{\"score\":0.9814,\"name\":\"cat\"}"), List.of()))
                .isEmpty();
        assertThat(PrintedOutput.differences(said, List.of("{\"score\":0.9814,\"name\":\"dog\"}"), List.of()))
                .hasSize(1);
        assertThat(PrintedOutput.differences(said, List.of("{\"score\":0.5,\"name\":\"cat\"}"), List.of()))
                .hasSize(1);
        assertThat(PrintedOutput.differences(said, List.of("no answer"), List.of()))
                .containsExactly("not JSON: no answer");
    }
}
