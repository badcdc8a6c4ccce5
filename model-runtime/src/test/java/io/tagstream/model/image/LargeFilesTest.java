/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.DirectMemory;
import io.tagstream.model.ImageRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LargeFilesTest {
    private static final int SIZE = 16 << 20;
    private static final int THREADS = 4;

    @TempDir
    Path folder;

    @Test
    void shouldHoldNoMoreMemoryThanTheBudgetSees() throws Exception {
        Path file = Files.write(folder.resolve("large.jpg"), new byte[SIZE]);
        FetchOptions options = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (ImageFetcher fetcher = new ImageFetcher(options)) {
            long kept = DirectMemory.keptBy(THREADS, () -> {
                try (EncodedImage image =
                        fetcher.fetch(new ImageRequest(file.toUri().toString(), Optional.empty()))) {
                    assertThat(image.bytes()).hasSize(SIZE);
                }
                return null;
            });
            assertThat(kept).isLessThan(SIZE / 2);
        }
    }
}
