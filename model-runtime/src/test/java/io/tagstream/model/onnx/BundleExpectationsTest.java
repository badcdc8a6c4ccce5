/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.model.bundle.Sha256;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with a bundle, the message names the file, what was expected and what was found. */
class BundleExpectationsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void copyBundle() throws Exception {
        TinyBundle.copyTo(folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "\"formatVersion\": 1;\"formatVersion\": 2;formatVersion: 1, the version that this Tagstream reads, found 2",
                "\"formatVersion\": 1,;;Missing required creator property 'formatVersion'",
                "\"id\": \"tiny\";\"id\": \"\";id: letters, digits, dots and dashes, found",
                "\"id\": \"tiny\";\"id\": null;at \"id\": Invalid `null` value",
                "\"version\": \"1.0.0\";\"version\": \"1 0\";version: letters, digits, dots and dashes, found 1 0",
                "\"generation\": 1;\"generation\": -1;generation: 0 or more, found -1",
                "\"generation\": 1;\"generation\": \"1\";at \"generation\"",
                "\"generation\": 1;\"generation\": 1.5;at \"generation\"",
                "\"size\": 32;\"size\": 0;image.size: 1 to 4096 pixels, found 0",
                "\"tokens\": 16,;;image.tokens: 1 or more, for the decoder, found 0",
                "\"tokenWidth\": 8;\"tokenWidth\": 0;image.tokenWidth: 1 or more, for the decoder, found 0",
                "\"resize\": \"[A-Z_]+\";\"resize\": \"STRETCH\";SHORTEST_SIDE_CENTER_CROP",
                "\"decoder.onnx\",;\"decoder.onnx\", \"addedRows\": -1,;decoder.addedRows: 0 or more, found -1",
                "\"maxTokens\": 16;\"maxTokens\": 0;text.maxTokens: 1 or more, found 0",
                "a photo of a \\{\\}\\.;a photo;text.templates: {} in each, for the label's name, found a photo",
                "\"centerSha256\": \"[0-9a-f]+\";\"pooling\": \"MEAN\";Duplicate field",
                ",\\s+\"centerSha256\": \"[0-9a-f]+\";;both center and centerSha256, or neither, found center only",
                "\"count\": 64;\"count\": 1;reference.count: 2 or more, found 1",
                "\"count\": 64;\"count\": 63;reference_embeddings.f32: expected 4032 bytes (63 x 16 floats), found 4096 bytes",
                "\"embeddingSize\": 16;\"embeddingSize\": 15;text_center.f32: expected 60 bytes",
                "\"topK\": 8;\"topK\": 0;scoring.topK: 1 or more, found 0",
                "\"defaultThreshold\": 0.5;\"defaultThreshold\": 1.5;scoring.defaultThreshold: 0 to 1, found 1.5",
                "\"images\": 2;\"images\": 3;selfTest.scores: 3 rows, one per image, found 2 rows",
                "\"dog\";\"dog\", \"cat\";selfTest.scores: 4 scores per row, one per label, found 3 scores",
                "\"tolerance\": 0.002;\"tolerance\": 0;selfTest.tolerance: above 0, found 0.0",
                "\"decoder.onnx\";\"../decoder.onnx\";file names relative to the bundle, or classpath:NAME, found \"../decoder.onnx\"",
                "\"decoder.onnx\";\"/decoder.onnx\";file names relative to the bundle",
                "\"decoder.onnx\";\"classpath:none.onnx\";classpath:none.onnx: expected a file, found none",
                "\"sha256\": \"[0-9a-f]+\";\"sha256\": \"ABC\";64 lower-case hexadecimal digits, found \"ABC\"",
                "\\{\\s+\"formatVersion\";{{;expected JSON"
            })
    void shouldNameWhatTheDescriptionHasWrong(String regex, String replacement, String inMessage) throws Exception {
        TinyBundle.change(folder, regex, replacement == null ? "" : replacement);
        assertThatThrownBy(() -> Bundle.load(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageStartingWith("bundle " + folder)
                .hasMessageContaining(inMessage);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "\"tokens\": 16;\"tokens\": 49;image_encoder.onnx: expected output tokens FLOAT[?,49,8], found output tokens FLOAT[?,16,8]",
                "\"tokenWidth\": 8;\"tokenWidth\": 9;image_encoder.onnx: expected output tokens FLOAT[?,16,9]",
                "\"pooling\": \"MEAN\";\"pooling\": \"NONE\";text_encoder.onnx: expected output embedding FLOAT[?,16], found outputs [states]",
                "\"red apple\";\"red apple red apple red apple red apple red apple\";self-test labels that can be encoded"
            })
    void shouldNameWhatTheGraphsHaveWrong(String regex, String replacement, String inMessage) throws Exception {
        TinyBundle.change(folder, regex, replacement);
        assertBuildFails(inMessage);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "image_encoder.onnx;decoder.onnx;expected input pixels UINT8[?,32,32,3], found inputs [tokens, labels]",
                "decoder.onnx;image_encoder.onnx;expected input tokens FLOAT[?,16,8], found inputs [pixels]",
                "text_encoder.onnx;decoder.onnx;expected input input_ids INT64[?,?], found inputs [tokens, labels]",
                "image_encoder.onnx;tokenizer.json;expected an ONNX graph that ONNX Runtime loads",
                "tokenizer.json;decoder.onnx;expected a tokenizer in Hugging Face's JSON format"
            })
    void shouldNameAFileInAnothersPlace(String place, String file, String inMessage) throws Exception {
        byte[] before = Files.readAllBytes(folder.resolve(place));
        byte[] after = Files.readAllBytes(folder.resolve(file));
        replace(place, before, after);
        assertBuildFails(place + ": " + inMessage);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, 7})
    void shouldNameReferenceEmbeddingsThatAreNone(float value) throws Exception {
        byte[] before = Files.readAllBytes(folder.resolve("reference_embeddings.f32"));
        byte[] after = before.clone();
        ByteBuffer.wrap(after).order(ByteOrder.LITTLE_ENDIAN).putFloat(64, value);
        replace("reference_embeddings.f32", before, after);
        assertThatThrownBy(() -> Bundle.load(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining(
                        Float.isNaN(value) ? "expected finite numbers, found NaN" : "expected rows of unit norm")
                .extracting(e -> ((BundleException) e).file())
                .isEqualTo("reference_embeddings.f32");
    }

    @Test
    void shouldNameSelfTestPixelsOfAnotherSize() throws Exception {
        byte[] before = Files.readAllBytes(folder.resolve("self_test_pixels.u8"));
        replace("self_test_pixels.u8", before, new byte[100]);
        assertThatThrownBy(() -> Bundle.load(folder))
                .hasMessageContaining("self_test_pixels.u8: expected 6144 bytes (2 images of 32 x 32 x 3), found 100");
    }

    @Test
    void shouldNameALocationThatIsNoBundle() {
        assertThatThrownBy(() -> Bundle.load("classpath:no/such/bundle"))
                .hasMessage("bundle classpath:no/such/bundle: bundle.json: expected a file, found none");
        assertThatThrownBy(() -> Bundle.load("/no/such/folder"))
                .hasMessage("bundle /no/such/folder: bundle.json: expected a file, found none");
    }

    @Test
    void shouldChangeTheTextFingerprintWithWhatLabelVectorsDependOnAndNothingElse() throws Exception {
        String before = Bundle.load(folder).textFingerprint();
        assertThat(before).matches("[0-9a-f]{64}");
        TinyBundle.change(folder, "\"version\": \"1.0.0\"", "\"version\": \"1.0.1\"");
        TinyBundle.change(folder, "\"bias\": -0.5", "\"bias\": -0.6");
        assertThat(Bundle.load(folder).textFingerprint()).isEqualTo(before);
        TinyBundle.change(folder, "a photo of a", "a picture of a");
        assertThat(Bundle.load(folder).textFingerprint()).isNotEqualTo(before);
    }

    private void replace(String file, byte[] before, byte[] after) throws Exception {
        Files.write(folder.resolve(file), after);
        TinyBundle.change(folder, Sha256.of(before), Sha256.of(after));
    }

    private void assertBuildFails(String inMessage) {
        Bundle bundle = Bundle.load(folder);
        assertThatThrownBy(() -> OnnxModelRuntime.builder(bundle).build().close())
                .isInstanceOf(BundleException.class)
                .hasMessageContaining(inMessage);
    }
}
