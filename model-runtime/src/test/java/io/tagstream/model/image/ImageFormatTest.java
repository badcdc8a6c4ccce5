/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFormatTest {
    @ParameterizedTest
    @CsvSource({"jpg, JPEG", "png, PNG", "gif, GIF", "bmp, BMP", "tiff, TIFF"})
    void shouldRecogniseAFormatByItsFirstBytes(String written, ImageFormat format) throws Exception {
        byte[] image = Quarters.encode(Quarters.picture(8, 8, BufferedImage.TYPE_INT_RGB), written);
        assertThat(ImageFormat.of(image)).isEqualTo(format);
    }

    @Test
    void shouldRecogniseWebp() throws Exception {
        assertThat(ImageFormat.of(Quarters.resource("turned.webp"))).isEqualTo(ImageFormat.WEBP);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RIFF....AVI LIST", "RIFF....WAVEfmt ", "BMW is a maker of cars", "BM", "II*", ""})
    void shouldNotTakeTheBeginningOfAFormatForTheFormat(String bytes) {
        assertThatThrownBy(() -> ImageFormat.of(bytes.getBytes(StandardCharsets.ISO_8859_1)))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.UNSUPPORTED_FORMAT));
    }

    @Test
    void shouldSayWhichFormatsToSubmit() {
        assertThatThrownBy(() -> ImageFormat.of("%PDF-1.7".getBytes(StandardCharsets.ISO_8859_1)))
                .hasMessage("the bytes are a PDF document, not an image of a known format;"
                        + " submit JPEG, PNG, WebP, GIF, BMP or TIFF");
    }

    @Test
    void shouldGiveEachExtensionToOneFormat() {
        assertThat(Arrays.stream(ImageFormat.values()).flatMap(format -> format.extensions().stream()))
                .contains("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
                .doesNotHaveDuplicates()
                .allMatch(extension -> extension.matches("[a-z]+"));
        assertThat(ImageFormat.JPEG.extension()).isEqualTo("jpg");
        assertThat(ImageFormat.allExtensions()).doesNotContainAnyElementsOf(ImageFormat.otherExtensions());
    }
}
