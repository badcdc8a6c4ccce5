/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.topology.waits.WaitReason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class OperationsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "operations.md");
    private static final Pattern ROW = Pattern.compile("^\\| `([A-Z_]+)` \\| .+ \\| .+ \\|$", Pattern.MULTILINE);

    @Test
    void shouldSayWhatHasHappenedAndWhatToDoForEveryReasonToWait() throws Exception {
        String page = Files.readString(PAGE);
        String section = page.substring(page.indexOf("## When images wait"), page.indexOf("## What stops the process"));
        List<String> rows =
                ROW.matcher(section).results().map(row -> row.group(1)).toList();
        assertThat(rows)
                .containsExactlyElementsOf(
                        Arrays.stream(WaitReason.values()).map(Enum::name).toList());
    }
}
