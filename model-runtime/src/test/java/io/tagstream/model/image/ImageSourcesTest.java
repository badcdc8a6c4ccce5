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
import io.tagstream.model.ImageRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageSourcesTest {
    @ParameterizedTest
    @CsvSource({
        "https://Example.org/a/b.jpg?c#d, https://example.org",
        "http://example.org:8080, http://example.org:8080",
        "HTTP://example.org?x, http://example.org",
        "http:, http:",
        "'data:,x', data",
        "file:///a/b.jpg, file",
        "ftp://example.org/a, ''",
        "nothing, ''",
        "'', ''"
    })
    void shouldTellWhoServesAnImage(String uri, String origin) {
        assertThat(ImageFetcher.source(new ImageRequest(uri, Optional.empty()))).isEqualTo(origin);
    }

    @ParameterizedTest
    @CsvSource({
        "file:///a/b.jpg, true, false, false",
        "FILE:/a/b.jpg, true, false, false",
        "https://example.org/a.jpg, false, true, false",
        "HTTP://example.org/a.jpg, false, true, false",
        "'data:,x', false, false, true",
        "ftp://example.org/a, false, false, false",
        "a/b.jpg, false, false, false"
    })
    void shouldTellWhereAnImageIs(String uri, boolean isFile, boolean isOnServer, boolean holdsImage) {
        assertThat(List.of(ImageSources.isFile(uri), ImageSources.isOnServer(uri), ImageSources.holdsImage(uri)))
                .containsExactly(isFile, isOnServer, holdsImage);
    }

    @Test
    void shouldGiveTheFileOfAFileUriAlone() {
        assertThat(ImageSources.file("file:///a/./b%20c.jpg")).contains(Path.of("/a/b c.jpg"));
        assertThat(ImageSources.file("https://example.org/a.jpg")).isEmpty();
        assertThat(ImageSources.file("/a/b.jpg")).isEmpty();
        assertThat(ImageSources.file("file://other/a.jpg")).isEmpty();
    }

    @Test
    void shouldSayWhichSchemesLeadToAServer() {
        assertThat(ImageSources.serverSchemes()).contains("http", "https").doesNotContain("file", "data");
    }

    @Test
    void shouldNameEverySchemeWhereOneIsUnknown() {
        assertThat(ImageSources.schemes()).contains("file", "http", "https", "data");
        assertThatThrownBy(() -> ImageSources.of("ftp://example.org/a"))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.BAD_REFERENCE))
                .hasMessage(
                        "\"ftp://example.org/a\" has the unknown scheme \"ftp\"; the known schemes are %s",
                        Series.of(ImageSources.schemes(), "and"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b.jpg", "", ":"})
    void shouldSayHowUrisBeginWhereThereIsNoScheme(String text) {
        assertThatThrownBy(() -> ImageSources.of(text))
                .isInstanceOf(ImageException.class)
                .hasMessageStartingWith("\"%s\" is not a URI; submit ", text)
                .hasMessageContainingAll("file:///…", "https://…", " or ", "data:…");
    }
}
