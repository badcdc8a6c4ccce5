/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.OperatorException;
import java.io.ByteArrayInputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VocabularyCsvTest {
    @Test
    void shouldReadEveryColumn() {
        Map<String, Label> labels = read("""
                        id,name,prompts,threshold,state
                        cat,house cat,a photo of a {}.|a {} indoors,0.25,shadow
                        rain,"rain, heavy",,,
                        """);

        assertThat(labels.keySet()).containsExactly("cat", "rain");
        Label cat = labels.get("cat");
        assertThat(cat.getName()).isEqualTo("house cat");
        assertThat(cat.getPrompts()).containsExactly("a photo of a {}.", "a {} indoors");
        assertThat(cat.getThreshold()).isEqualTo(0.25);
        assertThat(cat.getState()).isEqualTo(LabelState.SHADOW);
        Label rain = labels.get("rain");
        assertThat(rain.getName()).isEqualTo("rain, heavy");
        assertThat(rain.getPrompts()).isEmpty();
        assertThat(rain.getThreshold()).isNull();
        assertThat(rain.getState()).isEqualTo(LabelState.ACTIVE);
    }

    @Test
    void shouldReadWhatItWrites() {
        Map<String, Label> labels = new LinkedHashMap<>();
        labels.put(
                "cat",
                Label.newBuilder()
                        .setName("house cat, \"tame\"")
                        .setPrompts(List.of("a photo of a {}.", "Katze, süß"))
                        .setThreshold(0.25)
                        .setState(LabelState.SHADOW)
                        .build());
        labels.put(
                "a,b",
                Label.newBuilder()
                        .setName("two\nlines")
                        .setState(LabelState.ACTIVE)
                        .build());
        assertThat(read(VocabularyCsv.write(labels))).containsExactlyEntriesOf(labels);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "=HYPERLINK(\"http://evil.example\")",
                "+1",
                "-2",
                "@SUM(A1)",
                "\uFF1D1",
                "'=1",
                "''+1",
                "'tis",
                "a=b"
            })
    void shouldWriteNoFormulaAndReadItBack(String text) {
        Map<String, Label> labels = Map.of(
                text,
                Label.newBuilder()
                        .setName(text)
                        .setPrompts(List.of(text))
                        .setState(LabelState.ACTIVE)
                        .build());
        String written = VocabularyCsv.write(labels);
        assertThat(written.lines().skip(1)).singleElement().asString().doesNotMatch("(.*,)?\"?[=+@\uFF1D-].*");
        assertThat(read(written)).isEqualTo(labels);
    }

    @Test
    void shouldReadQuotesAfterASpace() {
        assertThat(read("id,name\nheron, \"grey heron\"\n").get("heron").getName())
                .isEqualTo("grey heron");
    }

    @Test
    void shouldReadColumnsInAnyOrderAfterAByteOrderMark() {
        assertThat(read("\uFEFFName,ID\r\nHund,dog\r\n").get("dog").getName()).isEqualTo("Hund");
    }

    @Test
    void shouldNameTheColumnThatIsMissing() {
        assertRefused("id,label\ncat,cat\n", "labels.csv, line 1", "the column name is missing", "\"id,label\"");
    }

    @Test
    void shouldNameAnUnknownColumn() {
        assertRefused("id,name,treshold\ncat,cat,1\n", "line 1", "unknown column \"treshold\"", "threshold");
    }

    @Test
    void shouldNameBothLinesOfAnIdThatIsThereTwice() {
        assertRefused("id,name\ncat,cat\n\ndog,dog\ncat,kitten\n", "labels.csv, line 5", "\"cat\"", "line 2");
    }

    @Test
    void shouldNameTheLabelWhoseNameIsEmpty() {
        assertRefused("id,name\ncat,cat\ndog,  \n", "line 3", "the name of label \"dog\" is empty");
        assertRefused("id,name\ndog,\u00A0\n", "line 2", "the name of label \"dog\" is empty");
    }

    @Test
    void shouldNameTheLineOfAnEmptyId() {
        assertRefused("id,name\n,cat\n", "line 2", "the id is empty");
    }

    @Test
    void shouldNameAThresholdThatIsNoScore() {
        assertRefused("id,name,threshold\ncat,cat,high\n", "line 2", "\"high\"", "from 0 to 1");
        assertRefused("id,name,threshold\ncat,cat,1.5\n", "line 2", "\"1.5\"", "from 0 to 1");
        assertRefused("id,name,threshold\ncat,cat,NaN\n", "line 2", "\"NaN\"", "from 0 to 1");
    }

    @Test
    void shouldNameAnUnknownState() {
        assertRefused("id,name,state\ncat,cat,HIDDEN\n", "line 2", "\"HIDDEN\"", "ACTIVE or SHADOW");
    }

    @Test
    void shouldNameTheLineThatHasTooManyValues() {
        assertRefused("id,name\nrain,rain, heavy\n", "line 2", "3 values", "2 columns", "double quotes");
    }

    @Test
    void shouldNameTheLineThatHasTooFewValues() {
        assertRefused("id,name,state\nrain,rain\n", "line 2", "2 values", "3 columns", "its comma is needed");
    }

    @Test
    void shouldSayWhatAHeaderIs() {
        assertRefused("cat,cat\ndog,dog\n", "line 1", "a column appears twice", "the first line must be a header");
        assertRefused("id;name\ncat;cat\n", "line 1", "\"id;name\"", "separated by commas");
    }

    @Test
    void shouldNameTheLineOfAQuoteThatIsNotClosed() {
        assertRefused("id,name\ncat,\"cat\n", "labels.csv, line", "a double quote is not closed");
    }

    @Test
    void shouldRefuseAFileWithoutLabels() {
        assertRefused("id,name\n", "labels.csv has no labels");
    }

    @Test
    void shouldRefuseTextOfAnotherEncoding() {
        assertRefused("id,name\ntür,Tür\n", StandardCharsets.ISO_8859_1, "labels.csv is not UTF-8");
    }

    @Test
    void shouldNameAFileThatDoesNotExist() {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> VocabularyCsv.read(Path.of("nowhere", "labels.csv")))
                .withMessageContaining("labels.csv does not exist")
                .satisfies(failure -> assertThat(failure.kind()).isEqualTo(OperatorException.Kind.INVALID));
    }

    private static Map<String, Label> read(String text) {
        return VocabularyCsv.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "labels.csv");
    }

    private static void assertRefused(String text, String... messageParts) {
        assertRefused(text, StandardCharsets.UTF_8, messageParts);
    }

    private static void assertRefused(String text, Charset charset, String... messageParts) {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> VocabularyCsv.read(new ByteArrayInputStream(text.getBytes(charset)), "labels.csv"))
                .satisfies(failure -> {
                    assertThat(failure).hasMessageContainingAll(messageParts);
                    assertThat(failure.kind()).isEqualTo(OperatorException.Kind.INVALID);
                });
    }
}
