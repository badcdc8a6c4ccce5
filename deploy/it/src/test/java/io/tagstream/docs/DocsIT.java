/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.it.InFull;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the blocks of commands of the README and of every page of {@code deploy/docs} as printed. */
@InFull
class DocsIT {
    private static final Map<String, Integer> leftOut = new TreeMap<>();
    private static int ran;

    @TempDir
    Path directory;

    static Stream<MarkdownPage> pages() throws IOException {
        return MarkdownPage.all().stream().filter(page -> page.blocks().stream().anyMatch(Block::isRun));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pages")
    void shouldRunAsPrinted(MarkdownPage page) throws Exception {
        try (PageRun run = new PageRun(page, directory)) {
            for (Block block : page.blocks().stream().filter(Block::isRun).toList()) {
                if (block.mark().orElse(null) instanceof Mark.Needs needs) {
                    leaveOut("needs " + needs.need());
                } else if (block.language().equals("python") && System.getenv("IT_PYTHON") == null) {
                    leaveOut("IT_PYTHON does not name a Python with deploy/it/src/test/clients/requirements.txt");
                    assertThat(System.getenv("CI"))
                            .as("IT_PYTHON must be set when CI is")
                            .isNull();
                } else {
                    run.run(block);
                    ran++;
                }
            }
            run.stop();
        }
    }

    private static void leaveOut(String reason) {
        leftOut.merge(reason, 1, Integer::sum);
    }

    @AfterAll
    static void tellWhatRan() {
        System.out.printf(
                "%d blocks of the README and of deploy/docs ran as printed; left out: %s%n",
                ran, leftOut.isEmpty() ? "none" : leftOut);
    }
}
