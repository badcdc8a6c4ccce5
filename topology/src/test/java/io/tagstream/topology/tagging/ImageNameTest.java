/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.PendingImage;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageNameTest {
    @Test
    void shouldSayIdAndRecord() {
        assertThat(name("kätzchen 1")).isEqualTo("image \"kätzchen 1\" (images-3@17)");
    }

    @Test
    void shouldEscapeWhatCouldForgeALine() {
        assertThat(name("a\nb\u0000\u001b[31m\u202e\u2028\"\\"))
                .isEqualTo("image \"a\\u{a}b\\u{0}\\u{1b}[31m\\u{202e}\\u{2028}\\u{22}\\u{5c}\" (images-3@17)");
    }

    @Test
    void shouldCutLongIds() {
        assertThat(name("x".repeat(10_000))).hasSizeLessThan(300).contains("…");
    }

    private static String name(String id) {
        return ImageName.of(new PendingImage(id, null, new RecordOrigin("images", 3, 17L), 0L, List.of(), null));
    }
}
