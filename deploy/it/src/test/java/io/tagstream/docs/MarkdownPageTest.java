/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MarkdownPageTest {
    private static MarkdownPage page(String... lines) {
        return MarkdownPage.parse(Path.of("page.md"), Arrays.asList(lines));
    }

    @Test
    void shouldReadABlockItsMarkAndWhatItPrints() {
        MarkdownPage page = page(
                "<!-- needs: a GPU: for half precision -->",
                "```sh",
                "echo a",
                "",
                "```",
                "",
                "<!-- output varies: times -->",
                "```",
                "a",
                "```",
                "Something else:",
                "",
                "```json",
                "{}",
                "```");

        assertThat(page.blocks()).hasSize(2);
        Block commands = page.blocks().get(0);
        assertThat(commands).hasToString("page.md:2");
        assertThat(commands.text()).isEqualTo("echo a\n\n");
        assertThat(commands.mark()).contains(new Mark.Needs(Mark.Need.GPU));
        Block output = commands.output().orElseThrow();
        assertThat(output.text()).isEqualTo("a\n");
        assertThat(output.mark()).contains(new Mark.OutputVaries("times"));
        assertThat(page.blocks().get(1).language()).isEqualTo("json");
    }

    @Test
    void shouldNotTakeABlockBelowATextForOutput() {
        MarkdownPage page = page("```sh", "echo a", "```", "The file has:", "```", "a", "```");

        assertThat(page.blocks())
                .hasSize(2)
                .allSatisfy(block -> assertThat(block.output()).isEmpty());
    }

    @Test
    void shouldReadABlockInAList() {
        assertThat(page("- so:", "  ```sh", "  echo a", "    echo b", "  ```").blocks())
                .singleElement()
                .extracting(Block::text)
                .isEqualTo("echo a\n  echo b\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    needs:          | needs one of these
                    needs           | needs one of these
                    needs: patience | needs one of these
                    until:          | says nothing after its colon
                    output varies   | says nothing after its colon
                    """)
    void shouldRefuseAMarkWithoutAReason(String mark, String message) {
        assertThatThrownBy(() -> page("<!-- " + mark + " -->", "```sh", "echo a", "```"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("page.md:1: ")
                .hasMessageContaining(message);
    }

    @Test
    void shouldLeaveOtherCommentsAlone() {
        assertThat(page("<!-- the rest is for the curious -->", "```sh", "echo a", "```")
                        .blocks()
                        .get(0)
                        .mark())
                .isEmpty();
    }

    @Test
    void shouldRefuseABlockWithoutAnEnd() {
        assertThatThrownBy(() -> page("", "```sh", "echo a")).hasMessage("page.md:2: this block is not closed");
    }

    @Test
    void shouldFindLinksOfEveryKindOutsideOfCode() {
        MarkdownPage page = page(
                "[a](one.md) and ![b](two.svg \"title\"), not `[c](three.md)`",
                "[d]: four.md",
                "<source srcset=\"five.png\"><img src=\"six.png\">",
                "```sh",
                "echo '[e](seven.md)'",
                "```");

        assertThat(page.links())
                .extracting(MarkdownPage.Link::target)
                .containsExactly("one.md", "two.svg", "four.md", "five.png", "six.png");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    Try it                              | try-it
                    How fast it is                      | how-fast-it-is
                    Bring your own CLIP, or train       | bring-your-own-clip-or-train
                    What `run` does / and `local` too   | what-run-does--and-local-too
                    [A link](page.md) in a heading      | a-link-in-a-heading
                    0.1.0 (unreleased)                  | 010-unreleased
                    """)
    void shouldNameAHeadingAsGitHubDoes(String heading, String anchor) {
        assertThat(page("## " + heading).anchors()).containsExactly(anchor);
    }

    @Test
    void shouldNumberHeadingsThatComeTwice() {
        assertThat(page("# Notes", "## Notes", "```", "# Notes", "```").anchors())
                .isEqualTo(java.util.Set.copyOf(List.of("notes", "notes-1")));
    }
}
