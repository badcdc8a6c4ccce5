/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.DirectMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleFilesTest {
    private static final int SIZE = 16 << 20;

    @TempDir
    Path folder;

    @Test
    void shouldHoldNoMemoryForAGraphThatWasRead() throws Exception {
        byte[] graph = new byte[SIZE];
        graph[SIZE - 1] = 1;
        Files.write(folder.resolve("image_encoder.onnx"), graph);
        BundleFiles files = BundleFiles.inDirectory(folder);

        long kept = DirectMemory.keptBy(1, () -> {
            assertThat(files.read("image_encoder.onnx")).isEqualTo(graph);
            return null;
        });

        assertThat(kept).isLessThan(SIZE / 2);
    }
}
