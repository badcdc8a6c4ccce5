/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.it.InRun;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the first command of the README, which a newcomer judges Tagstream by. {@link DocsIT} runs all others. */
@InRun
class FirstScreenIT {
    @TempDir
    Path directory;

    @Test
    void shouldTagTheSamplePhotosAsTheReadmeShows() throws Exception {
        MarkdownPage readme = MarkdownPage.read(MarkdownPage.ROOT.resolve("README.md"));
        Block first = readme.blocks().stream().filter(Block::isRun).findFirst().orElseThrow();
        assertThat(first.mark()).as("%s: its mark", first).isEmpty();
        assertThat(first.output()).as("%s: what it prints", first).isPresent();
        try (PageRun run = new PageRun(readme, directory)) {
            run.run(first);
        }
    }
}
