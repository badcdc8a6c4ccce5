/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.folders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ImageSelectionTest {
    @TempDir
    Path folder;

    @Test
    void shouldTakeImagesBelowAFolderByTheirNames() throws IOException {
        Path photos = folder.resolve("photos");
        put("photos/cat.JPG");
        put("photos/2024/May/dog.webp");
        put("photos/notes.txt");
        put("photos/.thumbnails/cat.jpg");
        put("photos/.hidden.jpg");

        ImageSelection selection = ImageSelection.of(List.of(photos.toString()));

        assertThat(selection.scan()).extracting(NamedImage::id).containsExactly("2024/May/dog.webp", "cat.JPG");
        assertThat(selection.skipped()).isEqualTo(2);
        assertThat(selection.skippedNames()).startsWith("2 files (");
    }

    @Test
    void shouldTellPicturesInFormatsThatAreNotReadFromOtherFiles() throws IOException {
        Path photos = put("photos/cat.jpg").getParent();
        put("photos/notes.txt");
        put("photos/one.heic");
        put("photos/two.HEIC");
        put("photos/drawing.svg");

        ImageSelection selection = ImageSelection.of(List.of(photos.toString()));

        assertThat(selection.scan()).hasSize(1);
        assertThat(selection.skippedNames()).isEqualTo("4 files (heic 2, svg 1, txt 1)");
        assertThat(selection.skippedPictures()).contains("3 files (heic 2, svg 1)");
    }

    @Test
    void shouldTakeAFileWhateverItsName() throws IOException {
        Path file = put("picture.dat");

        List<NamedImage> images = ImageSelection.of(List.of(file.toString())).scan();

        assertThat(images).extracting(NamedImage::id).containsExactly("picture.dat");
        assertThat(images.get(0).uri()).isEqualTo(file.toUri());
    }

    @Test
    void shouldTakeAnImageGivenTwiceOnce() throws IOException {
        Path file = put("cat.jpg");

        assertThat(ImageSelection.of(List.of(folder.toString(), file.toString()))
                        .scan())
                .extracting(NamedImage::id)
                .containsExactly("cat.jpg");
    }

    @Test
    void shouldTellFilesOfTheSameNameApart() throws IOException {
        Path one = put("one/cat.jpg");
        Path other = put("other/cat.jpg");
        put("other/dog.jpg");

        assertThat(ImageSelection.of(List.of(
                                one.getParent().toString(), other.getParent().toString()))
                        .scan())
                .extracting(NamedImage::id)
                .containsExactly(one.toString(), other.toString(), "dog.jpg");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "other systems refuse such names")
    void shouldTellNamesThatAreNoTextApart() throws IOException {
        Path one = Path.of(URI.create(folder.toUri() + "photo%FE.jpg"));
        Path other = Path.of(URI.create(folder.toUri() + "photo%FF.jpg"));
        Files.writeString(one, "content");
        Files.writeString(other, "content");

        assertThat(ImageSelection.of(List.of(folder.toString())).scan())
                .extracting(NamedImage::id)
                .containsExactlyInAnyOrder(one.toUri().toString(), other.toUri().toString());
    }

    @Test
    void shouldTakeUrls() {
        String url = "https://example.org/a%20cat.jpg?size=1";

        ImageSelection selection = ImageSelection.of(List.of(url));

        assertThat(selection.scan()).extracting(NamedImage::id).containsExactly(url);
        assertThat(selection.roots()).isEmpty();
    }

    @Test
    void shouldRefuseWhatIsNeitherThereNorAUrl() {
        assertRefused(folder.resolve("none").toString(), "does not exist");
        assertRefused("ftp://example.org/cat.jpg", "ftp://example.org/cat.jpg", "http: or https:");
        assertRefused("http://example.org/a cat.jpg", "is not a URL", "position 20");
        assertRefused("http:///cat.jpg", "names no host");
    }

    private static void assertRefused(String argument, String... messageParts) {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> ImageSelection.of(List.of(argument)))
                .satisfies(failure -> assertThat(failure).hasMessageContainingAll(messageParts));
    }

    private Path put(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "content");
    }
}
