/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.folders;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.local.folders.FolderWatch.Change;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderWatchTest {
    private static final Instant WRITTEN = Instant.parse("2026-01-01T12:00:00Z");

    @TempDir
    Path folder;

    private final AtomicReference<Instant> now = new AtomicReference<>(WRITTEN.plusSeconds(1));

    @Test
    void shouldReportAFileOnceItRestsAndOnlyOnce() throws Exception {
        ImageSelection selection = ImageSelection.of(List.of(folder.toString()));
        try (FolderWatch watch = new FolderWatch(selection, List.of(), now::get)) {
            write("slow.jpg", WRITTEN);
            write("old.jpg", WRITTEN.minus(Duration.ofDays(1)));
            List<String> reported = new ArrayList<>();
            awaitReport(watch, reported, "old.jpg");
            assertThat(reported)
                    .as("written a second ago, perhaps still incomplete")
                    .containsExactly("old.jpg");

            write("slow.jpg", WRITTEN.plusSeconds(1)); // the next piece
            now.set(WRITTEN.plusSeconds(3));
            awaitReport(watch, reported, "slow.jpg");
            write("new.jpg", WRITTEN);
            awaitReport(watch, reported, "new.jpg");
            assertThat(reported).containsExactly("old.jpg", "slow.jpg", "new.jpg");
        }
    }

    private void write(String name, Instant modified) throws Exception {
        Path file = folder.resolve(name);
        Files.writeString(file, Files.exists(file) ? "more" : "");
        Files.setLastModifiedTime(file, FileTime.from(modified));
    }

    private static void awaitReport(FolderWatch watch, List<String> reported, String name) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            watch.poll().stream().map(Change::image).map(NamedImage::id).forEach(reported::add);
            return reported.contains(name);
        });
    }
}
