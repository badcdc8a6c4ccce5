/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigurationPageTest {
    private static final Path PAGE = Path.of("..", "docs", "configuration.md");

    /** {@code -Dconfiguration.page.write=true} rewrites the page. */
    @Test
    void shouldBeWhatTheCodeDefines() throws Exception {
        if (Boolean.getBoolean("configuration.page.write")) {
            Files.writeString(PAGE, ConfigurationPage.render());
        }

        assertThat(PAGE).hasContent(ConfigurationPage.render());
    }
}
