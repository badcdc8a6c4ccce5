/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelFailureReason;
import io.tagstream.avro.LabelState;
import io.tagstream.model.LabelText;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LabelLimitsTest {
    private final LabelLimits limits = LabelLimits.of(TestConfig.with(TagstreamConfig.VOCABULARY_MAX, 3));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dog",
                "sea lion",
                "Hündin",
                "क्षत्रिय", // combining marks
                "\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67", // joined by U+200D
                "می\u200cخواهم", // parted by U+200C
                "שלום",
                "e\u0301"
            })
    void shouldTakeTextsOfAllLanguages(String text) {
        assertThat(refusal(text, label(text))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "\u00a0",
                "\u200b",
                "\u2060\ufeff",
                "\u0301",
                "\u3164",
                "\u2800 ",
                "\u202e",
                "\t",
                "\uD800"
            })
    void shouldTakeTextsThatShowNothingForEmpty(String text) {
        assertThat(refusal(text, label("dog"))).contains(LabelFailureReason.BAD_ID);
        assertThat(refusal("dog", label(text))).contains(LabelFailureReason.EMPTY_NAME);
        assertThat(refusal("dog", label("dog", text))).contains(LabelFailureReason.BAD_PROMPT);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0x0, 0x7, 0xA, 0x1B, 0x7F, 0x85, 0x9F, 0x61C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2066,
                0x2069, 0xD800, 0xDFFF
            })
    void shouldRefuseCharactersThatHideOrDisturb(int character) {
        String text = "do" + Character.toString(character) + "g";

        assertThat(refusal(text, label("dog"))).contains(LabelFailureReason.BAD_ID);
        assertThat(refusal("dog", label(text))).contains(LabelFailureReason.BAD_NAME);
        assertThat(limits.refusal("dog", label(text), null).orElseThrow().message())
                .contains("name of label \"dog\"", "U+%04X".formatted(character), "leave it out");
    }

    @Test
    void shouldRefuseWhatIsTooLongInCharacters() {
        String longest = "\uD83D\uDC36".repeat(500);
        String tooLong = longest + "x";

        assertThat(refusal(longest, label(longest, longest))).isEmpty();
        assertThat(refusal(tooLong, label("dog"))).contains(LabelFailureReason.BAD_ID);
        assertThat(refusal("dog", label(tooLong))).contains(LabelFailureReason.TEXT_TOO_LONG);
        assertThat(refusal("dog", label("dog", tooLong))).contains(LabelFailureReason.TEXT_TOO_LONG);
        assertThat(limits.refusal("dog", label(tooLong), null).orElseThrow().message())
                .contains("the name of label \"dog\" has 501 characters", "at most 500");
        assertThat(limits.refusal(tooLong, label("dog"), null).orElseThrow().message())
                .as("a message stays short")
                .hasSizeLessThan(300);
    }

    @Test
    void shouldRefuseTooManyPromptsAndThresholdsThatAreNoScores() {
        List<String> many = Collections.nCopies(LabelText.MOST_PROMPTS + 1, "a dog");

        assertThat(refusal("dog", label("dog", many.toArray(String[]::new))))
                .contains(LabelFailureReason.TOO_MANY_PROMPTS);
        for (double threshold : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThat(refusal("dog", label("dog", threshold, List.of()))).contains(LabelFailureReason.BAD_THRESHOLD);
        }
    }

    @Test
    void shouldHoldOnlyWhatChangesAboutALabelInForceAgainstTheLimits() {
        String id = "\u202eold";
        Label inForce = label("x".repeat(600), "y".repeat(600));

        assertThat(limits.refusal(id, label(inForce.getName(), 0.9, inForce.getPrompts()), inForce))
                .as("another threshold")
                .isEmpty();
        assertThat(limits.refusal(id, label("dog"), inForce)).as("a good name").isEmpty();
        assertThat(limits.refusal(id, label("z".repeat(600)), inForce)
                        .orElseThrow()
                        .reason())
                .as("another name that is too long")
                .isEqualTo(LabelFailureReason.TEXT_TOO_LONG);
        assertThat(limits.refusals(Map.of(id, inForce), Collections.singletonMap(id, null)))
                .as("its removal")
                .isEmpty();
    }

    @Test
    void shouldRefuseLabelsBeyondTheMost() {
        Map<String, Label> present = Map.of("a", label("a"), "b", label("b"));
        Map<String, Label> changes = new LinkedHashMap<>();
        changes.put("a", label("A"));
        changes.put("c", label("c"));
        changes.put("d", label("d"));

        Map<String, LabelLimits.Refusal> refusals = limits.refusals(present, changes);

        assertThat(refusals.keySet()).containsExactly("d");
        assertThat(refusals.get("d").reason()).isEqualTo(LabelFailureReason.VOCABULARY_FULL);
        assertThat(refusals.get("d").message()).contains("\"d\"", "3 labels", "vocabulary.max");

        changes.put("b", null);
        assertThat(limits.refusals(present, changes)).as("one makes room").isEmpty();
        assertThat(limits.inOrder(present, changes).keySet())
                .as("before it is needed")
                .containsExactly("b", "a", "c", "d");
    }

    @Test
    void shouldShowIdsSoThatTheyCanBeTyped() {
        assertThat(LabelLimits.readable("sea lion")).isEqualTo("sea lion");
        assertThat(LabelLimits.readable("a\u0000\u202eb")).isEqualTo("a\\u0000\\u202eb");
        assertThat(LabelLimits.readable("\u00a0")).isEqualTo("\\u00a0");
        assertThat(LabelLimits.readable("می\u200cخواهم")).isEqualTo("می\u200cخواهم");
    }

    private Optional<LabelFailureReason> refusal(String id, Label label) {
        return limits.refusal(id, label, null).map(LabelLimits.Refusal::reason);
    }

    private static Label label(String name, String... prompts) {
        return label(name, null, List.of(prompts));
    }

    private static Label label(String name, Double threshold, List<String> prompts) {
        return new Label(name, prompts, threshold, LabelState.ACTIVE, Map.of());
    }
}
