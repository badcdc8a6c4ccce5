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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFailuresTest {
    @TempDir
    Path folder;

    @Test
    void shouldReportAMissingFile() throws Exception {
        expect(folder.resolve("none.jpg").toUri().toString(), Optional.empty(), FailureReason.FETCH_NOT_FOUND);
    }

    @Test
    void shouldReportBytesThatAreNotThoseExpected() throws Exception {
        Path file = Files.writeString(folder.resolve("a.jpg"), "other");
        expect(file.toUri().toString(), Optional.of("0".repeat(64)), FailureReason.CHECKSUM_MISMATCH);
    }

    private void expect(String uri, Optional<String> sha256, FailureReason reason) throws Exception {
        FetchOptions options = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (ImageFetcher fetcher = new ImageFetcher(options)) {
            assertThatThrownBy(
                            () -> fetcher.fetch(new ImageRequest(uri, sha256)).close())
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(reason));
        }
    }
}
